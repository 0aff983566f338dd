import pytest

import machines


@pytest.hookimpl(wrapper=True)
def pytest_fixture_setup(fixturedef, request):
    try:
        return (yield)
    except machines.Missing as missing:
        pytest.skip(str(missing))


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item):
    try:
        return (yield)
    except machines.Missing as missing:
        pytest.skip(str(missing))


@pytest.fixture(scope="session")
def podman(tmp_path_factory):
    one = machines.Podman(tmp_path_factory.mktemp("podman"))
    yield one
    one.close()


@pytest.fixture(scope="session")
def image(podman, tmp_path_factory):
    """The image, with the program that is built here instead of one that is compiled in it."""
    machines.same_system()
    if podman("image", "exists", "docker.io/library/debian:bookworm-slim", check=False).returncode:
        podman("import", machines.base(), "docker.io/library/debian:bookworm-slim")
    probe = podman("run", "--rm", "--network=host", "docker.io/library/debian:bookworm-slim", "true", check=False)
    if probe.returncode:
        pytest.skip(f"podman cannot run a container here: {probe.stderr.strip()[-200:]}")
    out = tmp_path_factory.mktemp("out")
    (out / "out/usr/bin").mkdir(parents=True)
    machines.run("strip", "-o", out / "out/usr/bin/spillway", machines.harness.SPILLWAY)
    podman(
        "build", "--quiet", "--pull=never", "--network=host", "--layers", "--build-context", f"build={out}", "--format=docker",
        "-f", machines.ROOT / "deploy/Dockerfile", "-t", "localhost/spillway:latest", machines.ROOT, timeout=600,
    )  # fmt: skip
    return "localhost/spillway:latest"
