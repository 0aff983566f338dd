"""A shell in which `spillway` is known, with a local stack of its own: for commands that documents show."""

import os
import subprocess

import harness


class LocalShell:
    """Runs scripts in a folder; what stands in the documents for ports that may be taken here is replaced."""

    def __init__(self, folder):
        self.folder = folder
        self.first = first = harness.free_ports(12)
        self.env = {
            **os.environ,
            "XDG_STATE_HOME": str(folder / "state"),
            "XDG_DATA_HOME": str(folder / "data"),
            "PATH": f"{harness.BIN}:{os.environ['PATH']}",
            "NO_PROXY": "127.0.0.1,localhost",
        }
        self.replaced = {
            "127.0.0.1:8080": f"127.0.0.1:{first}",
            "127.0.0.1:8081": f"127.0.0.1:{first + 1}",
        }
        done = self.run(f"""
            spillway env set SPILLWAY_PORT {first}
            spillway env set SPILLWAY_ADMIN_PORT {first + 1}
            spillway env set SPILLWAY_EMULATOR_ADMIN_PORT {first + 2}
            spillway env set SPILLWAY_EMULATOR_BASE_PORT {first + 3}
            spillway env set SPILLWAY_CHAT_PORT {first + 6}
            spillway up
        """)
        assert done.returncode == 0, done.stderr

    def run(self, script, timeout=60, **more):
        for shown, here in self.replaced.items():
            script = script.replace(shown, here)
        return subprocess.run(
            ["bash", "-euo", "pipefail", "-c", script], cwd=self.folder, env={**self.env, **more}, capture_output=True,
            text=True, timeout=timeout, stdin=subprocess.DEVNULL, check=False,
        )  # fmt: skip

    def end(self):
        self.run("spillway down --purge --force")
