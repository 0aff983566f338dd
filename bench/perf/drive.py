"""Load: wrk as fast as it goes, and h2load at a fixed rate for latencies. Both on the backend's core."""

import json
import re
from dataclasses import dataclass
from pathlib import Path

from peers import Peer
from process import run_load


@dataclass
class Round:
    """One round with one peer."""

    requests: int = 0
    per_second: float = 0.0
    cpu_us: float = 0.0  # of the gateway, for each request
    rss: int = 0
    errors: int = 0
    p50_us: float = 0.0
    p99_us: float = 0.0
    p999_us: float = 0.0


def chat_body(size: int) -> str:
    """A chat request of `size` bytes (or the smallest possible)."""
    begin = (
        '{"model":"gpt-4o","temperature":0.7,"max_tokens":200,"user":"bench","messages":[{"role":"system","content":'
        '"You are a helpful assistant."},{"role":"user","content":"'
    )
    end = '"}]}'
    words = "Tell me something about the sea, please. " * (size // 41 + 1)
    return begin + words[: max(1, size - len(begin) - len(end))] + end


def write_lua(path: Path, peer: Peer, body: str, headers: dict) -> None:
    fields = "".join(f"wrk.headers[{json.dumps(k)}] = {json.dumps(v)}\n" for k, v in headers.items())
    path.write_text(
        f'wrk.method = "POST"\nwrk.path = {json.dumps(peer.path)}\nwrk.body = [==[{body}]==]\n'
        f'wrk.headers["content-type"] = "application/json"\n{fields}'
    )


def write_turns(path: Path, peer: Peer, body: str, keys: list[str]) -> None:
    """As write_lua(), each request with the next of the keys, and a text of its own: what wrk sends is as cold for one
    key a thousand times as for a thousand keys, and its requests come as far apart."""
    write_lua(path, peer, body, {})
    listed = ",".join(json.dumps(k) for k in keys)
    with path.open("a") as out:
        out.write(
            f"local keys, made, n = {{{listed}}}, {{}}, 0\n"
            "function init()\n  for i, key in ipairs(keys) do\n"
            '    wrk.headers["api-key"] = key\n    wrk.headers["x-turn"] = 100000 + i\n    made[i] = wrk.format()\n  end\nend\n'
            "function request()\n  n = n % #made + 1\n  return made[n]\nend\n"
        )


def wrk(
    peer: Peer, folder: Path, body: str, connections=32, seconds=3.0, headers=None, core=1, keys=None
) -> Round:
    """As many requests as `connections` can make; the gateway's CPU time is for the whole of wrk's run."""
    script = folder / "wrk.lua"
    if keys:
        write_turns(script, peer, body, keys)
    else:
        write_lua(script, peer, body, {**peer.headers, **(headers or {})})
    argv = ["wrk", "-t1", f"-c{connections}", f"-d{seconds}s", "--timeout", "20s"]
    before = peer.process.cpu_ns() if peer.process else 0
    out = run_load([*argv, "-s", script, f"http://127.0.0.1:{peer.port}"], core, True)
    cpu = (peer.process.cpu_ns() if peer.process else 0) - before
    requests = int(re.search(r"(\d+) requests in", out)[1])
    result = Round(requests, float(re.search(r"Requests/sec:\s+([\d.]+)", out)[1]))
    if requests:
        result.cpu_us = cpu / 1000 / requests
    result.rss = peer.process.rss() if peer.process else 0
    bad = re.search(r"Non-2xx or 3xx responses: (\d+)", out)
    result.errors = int(bad[1]) if bad else 0
    for n in re.findall(r"(?:connect|read|write|timeout) (\d+)", out):
        result.errors += int(n)
    return result


def percentile(ordered: list, share: float) -> float:
    return float(ordered[min(len(ordered) - 1, int(share * len(ordered)))]) if ordered else 0.0


def h2load(peer: Peer, folder: Path, body: str, rate: int, connections=32, seconds=4, core=1) -> Round:
    """Latencies at a rate that leaves all of them idle most of the time."""
    data, log = folder / "body.json", folder / "h2load.log"
    data.write_text(body)
    log.unlink(missing_ok=True)
    argv = ["h2load", "--h1", "-t1", f"-c{connections}", f"--duration={seconds}"]
    argv += ["--warm-up-time=1", f"--rps={rate / connections}", f"--log-file={log}", f"--data={data}"]
    argv += ["-H", "content-type: application/json"]
    for key, value in peer.headers.items():
        argv += ["-H", f"{key}: {value}"]
    out = run_load([*argv, f"http://127.0.0.1:{peer.port}{peer.path}"], core, True)
    times, errors = [], 0
    for line in log.read_text().splitlines():
        _, status, took = line.split("\t")[:3]
        times.append(int(took))
        errors += status != "200"
    if not times:
        raise RuntimeError(f"h2load measured nothing: {out[-500:]}")
    times.sort()
    return Round(
        requests=len(times),
        errors=errors,
        p50_us=percentile(times, 0.5),
        p99_us=percentile(times, 0.99),
        p999_us=percentile(times, 0.999),
    )
