"""Many streams, many backends and clients, many requests."""

import json
import random
import subprocess
import time

from drive import Round, chat_body, wrk
from peers import KEY, Lab, Peer
from process import allow_many_files, settle
from report import Streams, Table, Trend, median
from sections import in_turns, lower_quartile, play, say

STREAM_TURNS = 3  # of each peer in a round: opening so many takes longer than measuring them


def run_streams(lab: Lab, peer: Peer, streams: int, chunk_ms: int) -> dict:
    """One run of bench_wire; CPU and memory are read while all streams are open."""
    argv = [lab.bin_dir / "bench/bench_wire", "streams", "--port", peer.port, "--key", KEY, "--streams", streams]
    argv += ["--chunk-ms", chunk_ms, "--warm-ms", 1500, "--run-ms", 5000, "--connects-per-ms", 4]
    if peer.process and not peer.idle_rss:
        peer.idle_rss = peer.process.rss()  # before the first streams: a process keeps what it once had
    driver = subprocess.Popen(
        [str(a) for a in argv],
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
        preexec_fn=lambda: settle(1),
    )
    driver.stdout.readline()
    before = peer.process.cpu_ns() if peer.process else 0
    result = json.loads(driver.stdout.readline())
    after = peer.process.cpu_ns() if peer.process else 0
    full = peer.process.rss() if peer.process else 0
    driver.wait()
    result["cpu_us"] = (after - before) / 1000 / max(1, result["events"])
    result["rss_kb"] = max(0, full - peer.idle_rss) / 1024 / streams
    return result


def streams(lab: Lab, options) -> list:
    """Streams with an event each second, all open at once; nginx does not buffer."""
    # Two descriptors for each, and some more.
    count = min(10_000, (allow_many_files() - 300) // 2)
    table = Streams(count)
    for number in range(options.rounds):
        peers = [lab.backend(), lab.spillway()]
        if options.other:
            peers.append(lab.spillway(options.other, "other"))
        peers += [lab.nginx(buffering=False), lab.haproxy(count + 50)]
        played = {peer.name: [] for peer in peers}
        for peer in in_turns(peers if number % 2 == 0 else peers[::-1], STREAM_TURNS):
            with lab.quiet():
                played[peer.name].append(run_streams(lab, peer, count, 1000))
            time.sleep(1.5)  # closed connections leave the kernel's tables
        for peer in peers:
            results = played[peer.name]
            result = {key: median(r[key] for r in results) for key in ("p50_us", "p99_us")}
            result["cpu_us"] = lower_quartile([r["cpu_us"] for r in results])
            result["rss_kb"] = results[0]["rss_kb"]  # before the process had what it keeps
            result["lost"] = sum(r["lost"] for r in results)
            say(f"{count} streams: round {number + 1} {peer.name}: {result}")
            table.add(peer.name, result)
        lab.stop()
    return [table]


def flat(lab: Lab, options) -> list:
    """Does a request cost more when there are more backends, clients, or keys made at run time?"""
    table = Table("More backends and more clients, the request as above", "Each request is of another client.")
    table.anchor = "3 backends, 1 client"
    many = 100_000
    chosen = random.Random(1).sample(range(many - 1), 2000)
    body = chat_body(1300)

    cases = {
        table.anchor: {"backends": 3},
        "300 backends, 1 client": {"backends": 300},
        "3 backends, 100,000 clients": {"backends": 3, "clients": many, "seconds": 180},
    }

    def start() -> list[Peer]:
        lab.backend(addresses=300)
        peers = [lab.spillway(name=name, **what) for name, what in cases.items()]
        if options.other:
            peers += [lab.spillway(options.other, f"other: {name}", **what) for name, what in cases.items()]
        return [*peers, lab.spillway(name="3 backends, 100,000 made keys", backends=3, made_keys=many)]

    def one(peer: Peer, seconds: float = options.seconds) -> Round:
        keys = [f"{KEY}-{i}" for i in chosen] if "100,000" in peer.name else [KEY] * len(chosen)
        return wrk(peer, lab.folder, body, seconds=seconds, keys=keys)

    def warm(peer: Peer) -> Round:
        return one(peer, 10)  # until there are as many connections to 300 backends as will be needed

    # What the sockets to so many cost whoever has them: each is as cold as there are others.
    plain = Table("nginx with as many servers", "It keeps no account of them.")
    plain.anchor = "nginx, 3 servers"

    def start_plain() -> list[Peer]:
        lab.backend(addresses=300)
        return [lab.nginx(name=f"nginx, {n} servers", servers=n) for n in (3, 300)]

    play(lab, table, options.rounds, start, one, warm)
    play(lab, plain, options.rounds, start_plain, one, warm)
    return [table, plain]


def soak(lab: Lab, options) -> list:
    """Five million requests, a fifth of them refused: does memory grow?"""
    lab.backend()
    peer = lab.spillway(clients=2, rpm=(1, 100_000_000))
    keys = [f"{KEY}-0"] + [KEY] * 4
    trend = Trend("Memory over many requests, one in five answered with 429")
    done = refused = 0
    body = chat_body(1300)
    while done < options.soak_requests:
        result = wrk(peer, lab.folder, body, seconds=10, keys=keys)
        done += result.requests
        refused += result.errors
        peer.empty_log()
        trend.add(done, peer.process.rss() / 2**20)
        say(f"soak: {done:,} requests, {refused:,} refused, RSS {peer.process.rss() / 2**20:.1f} MiB")
    trend.note = f"{done:,} requests, {refused / done:.1%} of them refused."
    return [trend]
