"""Runs the suites of hostile input against the program, and prints what became of their cases: check.py [SUITE…]"""

import pathlib
import sys
import tempfile
import time

sys.path.append(str(pathlib.Path(__file__).resolve().parents[1] / "e2e"))

import admin
import answers
import conformance
import downgrade
import floods
import tls
import tokens
import wire
import wire_requests

# Those that take seconds are run by scripts/test as well (tests/e2e/test_hostile.py).
FAST = {"requests": wire_requests.run, "downgrade": downgrade.run, "answers": answers.run, "tokens": tokens.run,
    "admin": admin.run}
SUITES = {**FAST, "conformance": conformance.run, "h2spec": conformance.h2spec, "tls": tls.run, "floods": floods.run}


def documented():
    """The table in docs/reliability.md: {suite: (cases, refused, accepted, lenient, wrong)}"""
    text = (pathlib.Path(__file__).resolve().parents[2] / "docs/reliability.md").read_text()
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in text.splitlines()]
    return {row[0]: tuple(map(int, row[1:])) for row in rows if len(row) == 6 and row[1].isdigit()}


def main(chosen):
    unknown = set(chosen) - set(SUITES)
    if unknown:
        sys.exit(f"there is no suite {', '.join(sorted(unknown))}; there are {', '.join(SUITES)}")
    tallies = []
    for name in chosen or SUITES:
        began = time.monotonic()
        with tempfile.TemporaryDirectory(prefix="spillway-hostile-") as folder:
            tally = SUITES[name](pathlib.Path(folder))
        tallies.append(tally)
        print(f"    {tally.name}: {tally.cases} cases, {len(tally.wrong)} wrong, {time.monotonic() - began:.1f} s",
            flush=True)
        for wrong in tally.wrong:
            print(f"        WRONG {wrong}", flush=True)
    print(f"\n{wire.table(tallies)}")
    told = documented()
    changed = [tally for tally in tallies if tally.complete and told.get(tally.name) != tally.row()[1:]]
    for tally in changed:
        print("docs/reliability.md must say: | " + " | ".join(map(str, tally.row())) + " |")
    return 1 if changed or any(tally.wrong for tally in tallies) else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
