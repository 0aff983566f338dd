"""A short one; scripts/churn is for 200 reloads, 50 certificates, 20 upgrades under 500 streams."""

import churn


def test_nothing_is_lost_while_everything_changes(tmp_path):
    summary, violations = churn.run(tmp_path, 12, reloads=20, renewals=5, upgrades=2, streams=100)
    print(summary)
    assert not violations, f"{summary}\n" + "\n".join(violations[:20])
