"""Medians over rounds, ratios with their spread, and how they are written down."""

import json
import statistics
from dataclasses import asdict
from pathlib import Path

from drive import Round

ANCHOR = "nginx"


def median(values) -> float:
    values = list(values)
    return statistics.median(values) if values else 0.0


def ratio(values: list, anchors: list) -> tuple[float, float, float]:
    """Median, least and largest of the ratios round by round: what both suffered in a round cancels out."""
    each = [v / a for v, a in zip(values, anchors, strict=False) if a > 0]
    return (median(each), min(each), max(each)) if each else (0.0, 0.0, 0.0)


def spread_text(r: tuple[float, float, float]) -> str:
    return f"{r[0]:.2f} ({r[1]:.2f}–{r[2]:.2f})"


def to_other(values: dict[str, list[float]], what: str) -> list[str]:
    """What became of each peer that another build of the program played as well, in the same rounds."""
    pairs = [(n, "other" if n == "spillway" else f"other: {n}") for n in values]
    return [
        f"{what} of {n} to the other build's: {spread_text(ratio(values[n], values[o]))}."
        for n, o in pairs
        if values.get(o)
    ]


class Table:
    """Rounds of several peers under one heading."""

    def __init__(self, title: str, note: str = ""):
        self.title, self.note = title, note
        self.rounds: dict[str, list[Round]] = {}
        self.anchor = ANCHOR

    def add(self, peer: str, result: Round) -> None:
        self.rounds.setdefault(peer, []).append(result)

    def values(self, peer: str, what: str) -> list:
        return [getattr(r, what) for r in self.rounds.get(peer, [])]

    def added(self, peer: str, what: str) -> list:
        """Latency above the direct one of the same round."""
        pairs = zip(self.values(peer, what), self.values("direct", what), strict=False)
        return [max(0.0, mine - direct) for mine, direct in pairs]

    def ratio(self, peer: str, what: str) -> tuple[float, float, float]:
        return ratio(self.values(peer, what), self.values(self.anchor, what))

    def added_texts(self, peer: str, what: str) -> list[str]:
        """Median and quartiles, and the ratio of the medians: a single round's difference may be near zero."""
        values = sorted(self.added(peer, what))
        low, high = values[len(values) // 4], values[(3 * len(values)) // 4]
        anchor = median(self.added(self.anchor, what))
        share = f"{median(values) / anchor:.2f}" if anchor > 0 else ""
        return [f"{median(values):,.0f} ({low:,.0f}–{high:,.0f})", share]

    def markdown(self) -> str:
        names = [n for n in self.rounds]
        count = max(len(r) for r in self.rounds.values())
        lines = [f"### {self.title}", ""]
        if self.note:
            lines += [self.note, ""]
        latency = any(self.values(n, "p99_us")[0] > 0 for n in names)
        speed = any(self.values(n, "per_second")[0] > 0 for n in names)
        head = ["", *(["requests/s", "ratio", "CPU µs/request", "ratio", "RSS MiB"] if speed else [])]
        if latency:
            head += ["added p50 µs", "added p99 µs", "ratio", "added p99.9 µs"]
        lines += ["| " + " | ".join(head) + " |", "|---" * len(head) + "|"]
        for name in names:
            row = [name]
            own = name != "direct"
            if speed:
                row += [f"{median(self.values(name, 'per_second')):,.0f}"]
                row += [spread_text(self.ratio(name, "per_second")) if own else ""]
                row += [f"{median(self.values(name, 'cpu_us')):.1f}" if own else ""]
                row += [spread_text(self.ratio(name, "cpu_us")) if own else ""]
                row += [f"{median(self.values(name, 'rss')) / 2**20:.1f}" if own else ""]
            if latency and own:
                row += [f"{median(self.added(name, 'p50_us')):,.0f}"]
                row += self.added_texts(name, "p99_us")
                row += [f"{median(self.added(name, 'p999_us')):,.0f}"]
            elif latency:
                row += [f"({median(self.values(name, w)):,.0f})" for w in ("p50_us", "p99_us")]
                row += ["", f"({median(self.values(name, 'p999_us')):,.0f})"]
            lines.append("| " + " | ".join(row) + " |")
        errors = {n: sum(self.values(n, "errors")) for n in names}
        lines += ["", f"Medians of {count} interleaved rounds; ratios to {self.anchor} round by round, with least and largest."]
        if latency:
            lines[-1] += " Added p99 with its quartiles, and the ratio of the medians."
        for what, text in (("per_second", "Requests/s"), ("cpu_us", "CPU")):
            lines += to_other({n: self.values(n, what) for n in names}, text)
        if any(errors.values()):
            lines.append(f"Failed requests: {', '.join(f'{n} {e}' for n, e in errors.items() if e)}.")
        return "\n".join(lines) + "\n"


class Streams:
    """Runs with many streams open at once."""

    def __init__(self, count: int):
        self.title = f"{count:,} streams at once, an event each second"
        self.rounds: dict[str, list[dict]] = {}

    def add(self, peer: str, result: dict) -> None:
        self.rounds.setdefault(peer, []).append(result)

    def markdown(self) -> str:
        head = ["", "RSS KiB/stream", "CPU µs/event", "ratio", "delay p50 µs", "delay p99 µs", "added p99 µs", "lost"]
        lines = [f"### {self.title}", "", "| " + " | ".join(head) + " |", "|---" * len(head) + "|"]
        anchors = [r["cpu_us"] for r in self.rounds[ANCHOR]]
        direct = [r["p99_us"] for r in self.rounds["direct"]]
        for name, rounds in self.rounds.items():
            own = name != "direct"
            cpu = [r["cpu_us"] for r in rounds]
            late = [max(0.0, r["p99_us"] - d) for r, d in zip(rounds, direct, strict=False)]
            row = [name, f"{median(r['rss_kb'] for r in rounds):.1f}" if own else ""]
            row += [f"{median(cpu):.1f}", spread_text(ratio(cpu, anchors))] if own else ["", ""]
            row += [f"{median(r[k] for r in rounds):,.0f}" for k in ("p50_us", "p99_us")]
            row += [f"{median(late):,.0f}" if own else "", str(sum(r["lost"] for r in rounds))]
            lines.append("| " + " | ".join(row) + " |")
        lines += ["", f"Medians of {len(direct)} interleaved rounds; the delay is from the backend's send to the client's read."]
        for what, text in (("cpu_us", "CPU"), ("rss_kb", "Memory")):
            lines += to_other({n: [r[what] for r in rounds] for n, rounds in self.rounds.items()}, text)
        return "\n".join(lines) + "\n"


class Trend:
    """Memory over requests."""

    def __init__(self, title: str):
        self.title, self.note = title, ""
        self.rounds: list[tuple[int, float]] = []

    def add(self, requests: int, mib: float) -> None:
        self.rounds.append((requests, mib))

    def markdown(self) -> str:
        lines = [f"### {self.title}", "", self.note, "", "| requests | RSS MiB |", "|---|---|"]
        step = max(1, len(self.rounds) // 10)
        lines += [f"| {n:,} | {mib:.1f} |" for n, mib in self.rounds[::step]]
        if (len(self.rounds) - 1) % step:
            lines.append(f"| {self.rounds[-1][0]:,} | {self.rounds[-1][1]:.1f} |")
        return "\n".join(lines) + "\n"


def save(tables: list, path: Path) -> None:
    """All rounds as they were, for others to look at."""
    path.write_text(json.dumps({t.title: t.rounds for t in tables}, indent=1, default=asdict) + "\n")
