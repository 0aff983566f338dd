"""The benchmarks of bench/run. Everything runs on loopback, gateways on one core, load and backend on the other."""

import argparse
import sys
import tempfile
from pathlib import Path

import gateways
import many
import plot
import sections
from peers import Lab
from process import allow_many_files
from report import ANCHOR, Table, save

ROOT = Path(__file__).resolve().parents[2]
SECTIONS = {"chat": sections.chat, "bodies": sections.bodies}
SECTIONS |= {"streams": many.streams, "flat": many.flat, "soak": many.soak}
SECTIONS["gateways"] = gateways.gateways


def options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="bench/run", description=__doc__)
    parser.add_argument("section", nargs="*", choices=[[], *SECTIONS], help="all, unless some are named")
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--seconds", type=int, default=1, help="of each measurement")
    parser.add_argument("--case", default="", help="of 'bodies': only cases whose name has this in it")
    parser.add_argument("--soak-requests", type=int, default=5_000_000)
    parser.add_argument("--peers", type=Path, default=ROOT / "build/peers", help="where AI gateways are installed")
    parser.add_argument("--install-peers", action="store_true", help="install them there with npm and pip")
    parser.add_argument("--bin", type=Path, default=ROOT / "build/bench", help="where bench_wire was built")
    parser.add_argument("--program", type=Path, default=ROOT / "build/trained/bin/spillway")
    parser.add_argument("--other", type=Path, help="another spillway to compare with")
    parser.add_argument("--markdown", type=Path, help="write the tables to this file")
    parser.add_argument("--json", type=Path, help="write every round to this file")
    parser.add_argument("--plot", type=Path, help="write the ratios to this SVG file")
    parser.add_argument("--no-build", action="store_true")
    return parser.parse_args()


def main() -> int:
    chosen = options()
    allow_many_files()
    tables = []
    with tempfile.TemporaryDirectory(prefix="spillway-bench-") as folder:
        for name in chosen.section or SECTIONS:
            lab = Lab(ROOT, Path(folder), chosen.bin, chosen.program)
            try:
                tables += SECTIONS[name](lab, chosen)
            finally:
                lab.stop()
    text = "\n".join(table.markdown() for table in tables)
    print(text)
    if chosen.markdown:
        chosen.markdown.write_text(text)
    if chosen.json:
        save(tables, chosen.json)
    if chosen.plot:
        chosen.plot.write_text(plot.svg([t for t in tables if isinstance(t, Table) and t.anchor == ANCHOR]))
    return 0


if __name__ == "__main__":
    sys.exit(main())
