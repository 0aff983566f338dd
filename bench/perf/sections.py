"""What is measured. Each section starts its peers, plays interleaved rounds, and gives tables."""

import sys
from dataclasses import replace

from drive import Round, chat_body, h2load, wrk
from peers import Lab, Peer
from report import Table

TURNS = 8  # of each peer in a round: a hundredth is looked for


def say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


def trio(lab: Lab, options) -> list[Peer]:
    """The backend itself, Spillway (and another build of it, to compare), nginx, HAProxy."""
    peers = [lab.backend(), lab.spillway()]
    if options.other:
        peers.append(lab.spillway(options.other, "other"))
    return [*peers, lab.nginx(), lab.haproxy()]


def in_turns(peers: list[Peer], turns: int):
    """Each peer `turns` times, there and back again: whoever comes later finds a warmer machine."""
    for turn in range(turns):
        yield from peers if turn % 2 == 0 else reversed(peers)


def lower_quartile(values: list, key=None):
    """What makes some turns of a round slower is another machine's load on the same host."""
    return sorted(values, key=key)[len(values) // 4]


def play(lab: Lab, table: Table, rounds: int, start, one, warm=None, turns: int = TURNS, calm=None) -> None:
    """Rounds, each with peers that `start` starts anew: where their memory happens to lie makes a tenth.

    Before one() of each peer counts, all play warm() (or one()) once. Of the turns in a round the one with the lower
    quartile of CPU time counts. Latencies, if they are wanted, are those of calm(), which each peer plays once a round.
    """
    for number in range(1, rounds + 1):
        peers = start()
        for peer in peers:
            with lab.quiet():
                (warm or one)(peer)
            peer.empty_log()
        played = {peer.name: [] for peer in peers}
        for peer in in_turns(peers, turns):
            with lab.quiet():
                played[peer.name].append(one(peer))
            peer.empty_log()
        for peer in peers if number % 2 == 1 else reversed(peers):
            results = played[peer.name]
            result = lower_quartile(results, lambda r: r.cpu_us)
            result = replace(result, errors=sum(r.errors for r in results))
            if calm:
                with lab.quiet():
                    slow = calm(peer)
                peer.empty_log()
                errors = result.errors + slow.errors
                result = replace(result, errors=errors, p50_us=slow.p50_us, p99_us=slow.p99_us, p999_us=slow.p999_us)
            table.add(peer.name, result)
            say(
                f"{table.title}: round {number} {peer.name}: {result.per_second:,.0f}/s "
                f"{result.cpu_us:.2f} µs p99 {result.p99_us:.0f} µs errors {result.errors}"
            )
        lab.stop()


def chat(lab: Lab, options) -> list[Table]:
    """The usual request: 1.3 KB that ask, 0.9 KB that answer, 32 connections."""
    table = Table("A chat request of 1.3 KB, answer of 0.9 KB, 32 connections")
    body = chat_body(1300)

    def start() -> list[Peer]:
        peers = trio(lab, options)
        peers.insert(2, lab.spillway(name="spillway with ledger", ledger=True))
        return peers

    def fast(peer: Peer) -> Round:
        return wrk(peer, lab.folder, body, seconds=options.seconds)

    def calm(peer: Peer) -> Round:
        # Some bursts are slow for reasons of the machine's; a second has too few for a steady p99.
        return h2load(peer, lab.folder, body, rate=4000, seconds=3 * options.seconds)

    play(lab, table, options.rounds, start, fast, calm=calm)
    return [table]


def bodies(lab: Lab, options) -> list[Table]:
    """Small and large bodies, either way, and many connections."""
    tables = []
    cases = [
        ("request of 1 KB, 32 connections", chat_body(1000), {}, 32),
        ("request of 100 KB, 32 connections", chat_body(100_000), {}, 32),
        ("request of 1 MB, 32 connections", chat_body(1_000_000), {}, 32),
        ("answer of 100 KB, 32 connections", chat_body(1300), {"x-bench-size": "100000"}, 32),
        ("answer of 1 MB, 32 connections", chat_body(1300), {"x-bench-size": "1000000"}, 32),
        ("request of 1.3 KB, 1,000 connections", chat_body(1300), {}, 1000),
    ]
    for title, body, headers, connections in cases:
        if options.case and options.case not in title:
            continue
        table = Table(title[0].upper() + title[1:])

        def one(peer: Peer, body=body, headers=headers, connections=connections) -> Round:
            return wrk(peer, lab.folder, body, connections, options.seconds, headers)

        play(lab, table, options.rounds, lambda: trio(lab, options), one)
        tables.append(table)
    return tables
