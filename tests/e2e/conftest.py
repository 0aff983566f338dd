import pytest

import harness


class Stack:
    """Emulated resources with a gateway in front; `gateway` and `emulator` are the running processes."""

    def __init__(self, folder, resources=3, capacity=harness.PLENTY, priorities=None, emulator_args=harness.FAST, **settings):
        self.emulator = harness.Emulator(folder, resources, capacity, extra=emulator_args)
        try:
            priorities = priorities or [1] * resources
            self.gateway = harness.Gateway(
                folder,
                [
                    harness.backend(f"r{i + 1}", url, priority=priorities[i])
                    for i, url in enumerate(self.emulator.urls)
                ],
                **settings,
            )
        except BaseException:
            self.emulator.stop()
            raise

    def stop(self):
        statuses = self.gateway.stop(), self.emulator.stop()
        assert statuses == (0, 0), f"exit statuses of gateway and emulator: {statuses}"


def pytest_sessionstart(session):
    if not harness.SPILLWAY.exists():
        pytest.exit(f"{harness.SPILLWAY} is missing: run scripts/build release", returncode=2)


@pytest.fixture
def stack(tmp_path):
    """A factory of fresh stacks: stack(resources=…, capacity=…, priorities=[…], …)."""
    running = []

    def start(**options):
        running.append(Stack(tmp_path, **options))
        return running[-1]

    yield start
    for one in running:
        one.stop()


@pytest.fixture(scope="session")
def shared(tmp_path_factory):
    """One stack for tests that set no faults and use up no quota."""
    one = Stack(tmp_path_factory.mktemp("shared"))
    yield one
    one.stop()
