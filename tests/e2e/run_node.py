"""Starts a stack and runs the Node tests against it: run_node.py TAP_FILE."""

import os
import pathlib
import subprocess
import sys
import tempfile

import harness
from conftest import Stack


def main(tap):
    here = pathlib.Path(__file__).parent
    with tempfile.TemporaryDirectory() as folder:
        stack = Stack(pathlib.Path(folder))
        try:
            env = {
                **os.environ,
                "GATEWAY_URL": stack.gateway.url,
                "GATEWAY_KEY": harness.CLIENT_KEY,
                "RESOURCE_URL": stack.emulator.urls[0],
                "RESOURCE_KEY": harness.RESOURCE_KEY,
                "CHAT": harness.CHAT,
                "EMBEDDING": harness.EMBEDDING,
                "API_VERSION": harness.API_VERSION,
            }
            tests = sorted(str(path) for path in (here / "node").glob("*.test.mjs"))
            return subprocess.run(
                ["node", "--test", "--test-reporter=spec", "--test-reporter-destination=stdout",
                 "--test-reporter=tap", f"--test-reporter-destination={tap}", *tests],
                env=env, stdin=subprocess.DEVNULL, timeout=300, check=False,
            ).returncode  # fmt: skip
        finally:
            stack.stop()


sys.exit(main(sys.argv[1]))
