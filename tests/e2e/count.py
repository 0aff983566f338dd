"""Prints "PASSED FAILED SKIPPED" of a JUnit or TAP file. A file that is missing, broken or empty is one failure."""

import re
import sys
import xml.etree.ElementTree as ElementTree


def junit(path):
    cases = list(ElementTree.parse(path).getroot().iter("testcase"))
    failed = sum(1 for case in cases if case.find("failure") is not None or case.find("error") is not None)
    skipped = sum(1 for case in cases if case.find("skipped") is not None)
    return len(cases) - failed - skipped, failed, skipped


def tap(path):
    text = open(path, encoding="utf-8").read()
    return tuple(int(re.search(rf"^# {word} (\d+)$", text, re.M).group(1)) for word in ("pass", "fail", "skipped"))


def main(kind, path):
    try:
        passed, failed, skipped = {"junit": junit, "tap": tap}[kind](path)
    except (OSError, ElementTree.ParseError, AttributeError) as error:
        print(f"cannot count {path}: {error}", file=sys.stderr)
        passed, failed, skipped = 0, 1, 0
    if passed + failed == 0:
        failed = 1
    print(passed, failed, skipped)


main(*sys.argv[1:])
