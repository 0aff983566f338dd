"""2,000 concurrent streams for 30 s: none lost, every byte as it should be."""

import json
import os
import resource
import subprocess

import pytest

import harness

STREAMS = int(os.environ.get("SPILLWAY_STREAMS", "2000"))
SECONDS = int(os.environ.get("SPILLWAY_STREAM_SECONDS", "30"))


def test_many_streams_lose_nothing(stack):
    if not harness.FLOOD.exists():
        pytest.fail(f"{harness.FLOOD} is missing")
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, 65536), hard))
    try:
        # At this pace an answer takes six seconds, so that the streams overlap and not the set-up.
        running = stack(emulator_args=["--tokens-per-second", 20])
        done = subprocess.run(
            [harness.FLOOD, "--url", running.gateway.url, "--api-key", harness.CLIENT_KEY,
             "--streams", str(STREAMS), "--seconds", str(SECONDS), "--tokens", "120"],
            capture_output=True, text=True, timeout=SECONDS + 90, check=False,
        )  # fmt: skip
        assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]
        report = json.loads(done.stdout)
        print(report)
        assert report["streams"] == STREAMS
        assert report["peak_open"] == STREAMS
        assert report["completed"] >= STREAMS
        assert report["failed"] == 0
        assert report["bytes_bad"] == 0
        assert report["bytes_ok"] > 0
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
