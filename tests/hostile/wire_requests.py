"""Suite: HTTP/1 requests that could be understood in two ways; what reaches the backend is looked at byte for byte."""

import wire_requests_data
import wire
from wire_requests_data import MARKED, P
from wire import Fault, Recorder, Tally, read_answers, talk

MAY_PASS = ("x-forwarded-for",)


def odd_fields(case, got):
    lines = [b"%s: %s" % (name.encode(), value) for name, value in got.fields]
    wrong = [f"the backend gets no {line!r}" for line in case.has if line not in lines]
    wrong += [f"the backend gets {name}" for name in case.lacks if got.get(name) is not None]
    if len(got.all("host")) != 1 or got.get("host") == b"gw":
        wrong.append(f"Host is {got.all('host')}")
    if got.all("api-key") != [wire.BACKEND_KEY.encode()] or any(wire.KEY.encode() in value for _, value in got.fields):
        wrong.append("a client's key goes up")
    return wrong


def judge(case, out, closed, seen, faults):
    """What is wrong; empty if nothing is."""
    wrong = list(faults)
    try:
        answers, rest = read_answers(out, [case.method.decode()])
    except Fault as fault:
        return [*wrong, f"the answer is malformed: {fault}"]
    if rest:
        wrong.append(f"bytes behind the answers: {rest[:80]!r}")
    firsts = [one.first for one in seen]
    marked = b"GET %s?marked HTTP/1.1" % P
    statuses = [answer.status for answer in answers]
    if any(b"smuggled" in first for first in firsts):
        wrong.append("SMUGGLED")
    own = [b"%s %s HTTP/1.1" % (case.method, case.target)] if case.verdict in ("served", "last") else []
    if firsts != own + ([marked] if case.verdict in ("served", "answered") else []):
        wrong.append(f"at the backend: {firsts}")
    elif own:
        if seen[0].body != case.body:
            wrong.append(f"the body became {seen[0].body[:80]!r}")
        wrong += odd_fields(case, seen[0])
    good = {
        "refused": len(statuses) == 1 and statuses[0] in case.statuses,
        "answered": len(statuses) == 2 and statuses[0] in case.statuses and statuses[1] == 200,
        "served": statuses == [200, 200],
        "last": statuses == [200],
    }[case.verdict]
    if not good or not closed:
        wrong.append(f"statuses {statuses}, {'closed' if closed else 'left open'}")
    return wrong


def run(folder):
    tally = Tally("HTTP/1 requests")
    recorder = Recorder()
    limits = {"head_timeout": "500ms", "body_timeout": "500ms"}
    with wire.gateway(folder / "requests", recorder.config(), limits=limits) as gateway:
        for case in wire_requests_data.CASES:
            for whole in (True, False):
                seen, faults = len(recorder.seen), len(recorder.faults)
                # In two pieces, so that no reader meets it whole.
                half = len(case.data) // 2
                pieces = [case.data + MARKED] if whole else [case.data[:half], case.data[half:] + MARKED]
                out, closed = talk(gateway.port, *pieces, pause=0.002)
                wrong = judge(case, out, closed, recorder.seen[seen:], recorder.faults[faults:])
                if wrong:
                    break
            verdict = "refused" if case.verdict in ("refused", "answered") else "lenient" if case.why else "accepted"
            tally.add(case.name, verdict, "; ".join(wrong))
    recorder.close()
    return tally
