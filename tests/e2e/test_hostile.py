"""The suites of hostile input that take seconds (tests/hostile; scripts/check-hostile runs all): requests that could be
understood in two ways, answers of hostile backends, tokens, the admin listener."""

import pathlib
import sys

import pytest

sys.path.append(str(pathlib.Path(__file__).resolve().parents[1] / "hostile"))

import check  # noqa: E402


@pytest.mark.parametrize("suite", check.FAST)
def test_hostile_input(suite, tmp_path):
    tally = check.FAST[suite](tmp_path)
    assert tally.wrong == []
    assert tally.cases >= 100
