"""What coalitions gain on the market's own operations is what closed forms say, and the fund lasts."""

import pytest

from verification.adversaries.measure import coalitions, fund


def test_a_fund_pays_audits_from_fees_whatever_a_coalition_orders_from_itself():
    found = fund(300, 50)
    assert (found.tasks, found.sham, found.fresh, found.refused) == (300, 120, 60, 0)
    assert found.audits > 30 and found.begun == 50
    assert found.coalition < 0 and 0 < found.lowest <= found.ended
    assert found.bound < 0.05


@pytest.mark.slow
def test_cheats_escape_and_gain_as_often_and_as_much_as_closed_forms_say():
    rows = list(coalitions(1_000))
    assert len(rows) == 9
    inside = [row.gained[1] - 1e-9 <= row.gaining <= row.gained[2] + 1e-9 for row in rows]
    inside += [row.escaped[1] <= row.escaping <= row.escaped[2] for row in rows]
    assert sum(inside) >= len(inside) - 2  # of intervals at 95 %
    assert all(row.gained[0] < 0 for row in rows if not row.who.startswith("the coordinator"))


@pytest.mark.slow
def test_the_fund_lasts_over_many_tasks():
    found = fund(10_000)
    assert found.refused == 0 and found.lowest > 0 and found.coalition < 0
    assert found.ended == pytest.approx(found.expected, abs=3 * (10_000 * 0.16) ** 0.5 * 1.1)
