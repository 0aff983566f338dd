"""Processes of a run: started on loopback, pinned to cores, and asked what they cost."""

import contextlib
import os
import resource
import signal
import socket
import subprocess
import time
from pathlib import Path

PAGE = os.sysconf("SC_PAGE_SIZE")


def free_port() -> int:
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def allow_many_files() -> int:
    """As many descriptors as the system permits, for this process and its children."""
    for wanted in (200_000, resource.getrlimit(resource.RLIMIT_NOFILE)[1]):
        with contextlib.suppress(ValueError, OSError):
            resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, wanted))
            return wanted
    return resource.getrlimit(resource.RLIMIT_NOFILE)[0]


def children(pid: int) -> list[int]:
    """`pid` and all below it."""
    found = [pid]
    with contextlib.suppress(OSError):
        for task in Path(f"/proc/{pid}/task").iterdir():
            for child in (task / "children").read_text().split():
                found += children(int(child))
    return found


def settle(core: int | None) -> None:
    """In a child before it runs: its core, and, where that is permitted, precedence over other work."""
    if core is not None:
        os.sched_setaffinity(0, {core})
    for level in ("-10", "-5"):
        with contextlib.suppress(OSError):
            Path("/proc/self/autogroup").write_text(level)
            return


def schedule(pid: int, real_time: bool) -> None:
    """Before all ordinary work (where that is permitted), or as usual."""
    policy, level = (os.SCHED_RR, 1) if real_time else (os.SCHED_OTHER, 0)
    with contextlib.suppress(OSError):
        os.sched_setscheduler(pid, policy, os.sched_param(level))


def run_load(argv, core: int = 1, real_time=False) -> str:
    """Runs a load generator to its end; what it printed."""

    def prepare() -> None:
        settle(core)
        if real_time:
            schedule(0, True)

    done = subprocess.run(
        [str(a) for a in argv],
        capture_output=True,
        text=True,
        start_new_session=True,
        preexec_fn=prepare,
        check=False,
    )
    if done.returncode != 0:
        raise RuntimeError(f"{argv[0]} failed: {done.stderr[-1000:]}{done.stdout[-1000:]}")
    return done.stdout


class Process:
    """One started program (with its children). Ended on exit of the `with` block."""

    def __init__(self, argv, core: int | None, log: Path, env: dict | None = None, cwd: Path | None = None):
        self.log = log
        with log.open("ab") as out:
            self.popen = subprocess.Popen(
                [str(a) for a in argv],
                stdout=out,
                stderr=out,
                stdin=subprocess.DEVNULL,
                env={**os.environ, **(env or {})},
                cwd=cwd,
                start_new_session=True,
                preexec_fn=lambda: settle(core),
            )

    def pids(self) -> list[int]:
        return children(self.popen.pid)

    def cpu_ns(self) -> int:
        """CPU time of all its threads in nanoseconds: the scheduler's own count, finer than /proc/PID/stat."""
        total = 0
        for pid in self.pids():
            with contextlib.suppress(OSError):
                for task in Path(f"/proc/{pid}/task").iterdir():
                    with contextlib.suppress(OSError):
                        total += int((task / "schedstat").read_text().split()[0])
        return total

    def real_time(self, on: bool) -> None:
        """For latencies at low load: other work on this machine shall not be measured."""
        for pid in self.pids():
            with contextlib.suppress(OSError):
                for task in Path(f"/proc/{pid}/task").iterdir():
                    schedule(int(task.name), on)

    def rss(self) -> int:
        """Resident bytes of all its processes (shared pages are counted in each)."""
        total = 0
        for pid in self.pids():
            with contextlib.suppress(OSError):
                total += int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * PAGE
        return total

    def wait_port(self, port: int, seconds: float = 20) -> None:
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            if self.popen.poll() is not None:
                raise RuntimeError(f"{self.popen.args[0]} ended: {self.tail()}")
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 0.5):
                return
            time.sleep(0.05)
        raise RuntimeError(f"{self.popen.args[0]} does not listen on {port}: {self.tail()}")

    def tail(self) -> str:
        return self.log.read_text(errors="replace")[-2000:]

    def stop(self) -> None:
        if self.popen.poll() is None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self.popen.pid, signal.SIGTERM)
            try:
                self.popen.wait(5)
            except subprocess.TimeoutExpired:
                os.killpg(self.popen.pid, signal.SIGKILL)
                self.popen.wait()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop()
