"""Debian's PostgreSQL: a cluster of its own in a temporary folder, on a free port of 127.0.0.1."""

import contextlib
import os
import pathlib
import shutil
import signal
import subprocess
import tempfile

import harness

PASSWORD = "pg-password-5d2a"


def programs():
    """The folder with initdb and postgres, or None."""
    return next((found.parent for found in pathlib.Path("/usr/lib/postgresql").glob("*/bin/initdb")), None)


class Cluster:
    def __init__(self):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="spillway-pg-"))
        self.port = harness.free_ports(1)
        self.process = None
        # The server refuses root.
        self.user = {"user": "postgres", "group": "postgres", "extra_groups": []} if os.geteuid() == 0 else {}
        if self.user:
            shutil.chown(self.folder, "postgres", "postgres")
        word = self.folder / "password"
        word.write_text(PASSWORD + "\n")
        word.chmod(0o644)
        self.run("initdb", "-D", self.folder / "data", "-U", "spillway", "-E", "UTF8", "--locale=C", "--no-sync",
                 "--auth=scram-sha-256", f"--pwfile={word}")  # fmt: skip
        self.start()

    @property
    def url(self):
        return f"postgresql://spillway:{PASSWORD}@127.0.0.1:{self.port}/postgres"

    def run(self, program, *arguments):
        done = subprocess.run([programs() / program, *map(str, arguments)], cwd=self.folder, capture_output=True, text=True, check=False, **self.user)  # fmt: skip
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def start(self):
        command = [programs() / "postgres", "-D", self.folder / "data", "-k", self.folder, "-p", self.port,
                   "-c", "listen_addresses=127.0.0.1", "-c", "fsync=off"]  # fmt: skip
        with open(self.folder / "log", "ab") as log:
            self.process = subprocess.Popen(list(map(str, command)), cwd=self.folder, stdout=log, stderr=log, **self.user)
        harness.wait_until(self.is_ready, 30)

    def is_ready(self):
        asked = [programs() / "pg_isready", "-h", "127.0.0.1", "-p", str(self.port), "-q"]
        return subprocess.run(asked, check=False).returncode == 0

    def kill(self):
        """The server and all who answer for it, at once: connections are cut, nothing is tidied up."""
        if self.process:
            self.signal(signal.SIGKILL)
            self.process.wait(20)
            self.process = None

    def freeze(self):
        """Connections stay, and nobody answers."""
        self.signal(signal.SIGSTOP)

    def thaw(self):
        self.signal(signal.SIGCONT)

    def signal(self, number):
        children = pathlib.Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read_text().split()
        for pid in [self.process.pid, *map(int, children)]:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, number)

    def remove(self):
        with contextlib.suppress(subprocess.TimeoutExpired):
            self.kill()
        shutil.rmtree(self.folder, ignore_errors=True)
