"""A minute's soak; scripts/soak is for longer ones."""

import soak


def test_what_must_hold_holds_under_random_faults(tmp_path):
    summary, violations = soak.run(tmp_path, 45)
    print(summary)
    assert not violations, f"{summary}\n" + "\n".join(violations[:20])
