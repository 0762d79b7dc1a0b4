"""A fractional flow of steps becomes covers of whole tasks."""

import numpy as np

from auction.solvers._vector_prices.rounding import _split


def test_tasks_follow_the_flow_in_its_proportions_and_what_is_sent_on_joins_its_next_demand():
    """Twelve tasks of demand 1 go three to one to vector 0, which ends their cover, and to vector 1, which leaves
    demand 0; there they join four others, of which vectors 2 and 3 (twice) share.
    """

    def ints(*values):
        return np.array(values, dtype=np.int64)

    task, asked = _split(
        ints(1, 0),
        ints(4, 12),
        np.arange(100, 116),
        ints(0, 2, 4),
        ints(2, 3, 0, 1),
        np.array([4.5, 1.5, 0.25, 0.75]),
        ints(-1, 0, -1, -1),
        ints(0, 1, 2, 3, 3),
        ints(0, 1, 2, 3, 5),
    )
    by_vector = [set(task[asked == v].tolist()) for v in range(4)]
    assert [len(tasks) for tasks in by_vector] == [9, 3, 2, 5]
    assert by_vector[0] | by_vector[1] == set(range(104, 116))
    assert by_vector[2] | by_vector[3] == {100, 101, 102, 103} | by_vector[1]
    assert (asked == 3).sum() == 10


def test_tasks_of_a_demand_without_flow_get_nothing():
    nothing = np.empty(0, dtype=np.int64)
    zero = np.zeros(2, dtype=np.int64)
    task, _ = _split(zero[:1], zero[:1] + 3, np.arange(3), zero, nothing, np.empty(0), nothing, nothing, zero[:1])
    assert not task.size
