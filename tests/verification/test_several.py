import numpy as np
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from verification.computation import LEAF
from verification.dispute.clocks import budgets
from verification.dispute.dispute import Dispute, identity
from verification.dispute.party import honest, play
from verification.dispute.record import Proceedings
from verification.encoding.request import request
from verification.encoding.signature import public
from verification.errors import InputError
from verification.market.leases import computation_of
from verification.numbers import PASSES, Numbers
from verification.result import sign_result, tokens_of
from verification.several import Several
from verification.trace import leaf_of, leaves, record

KEYS = [Ed25519PrivateKey.from_private_bytes(bytes([at]) * 32) for at in range(1, 4)]


@pytest.fixture
def several():
    return Several([Numbers(token=at, seed=9 + at) for at in range(3)])


def test_each_run_is_as_it_is_alone(several):
    trace = record(several)
    alone = [record(run) for run in several.runs]
    assert trace.tokens == [token for one in alone for token in one.tokens]
    each = len(alone[0].tree)
    for at, one in enumerate(alone):
        assert [trace.digest(each * at + node) for node in range(each)] == [one.digest(node) for node in range(each)]
    _, output = sign_result(KEYS[0], "0" * 64, "1" * 64, trace)
    assert tokens_of(output) == trace.tokens and len(output) == 4 * 3 * PASSES


def test_every_leaf_is_what_its_steps_give(several):
    trace = record(several)
    for node in range(len(several.nodes)):
        for leaf in range(leaves(several.nodes[node])):
            made = []
            for index, step in enumerate(several.steps(node, leaf)):
                read = [made[s] if isinstance(s, int) else trace.leaf(*s) for s in step.sources]
                made.append(several.recompute(node, leaf, index, read))
            assert made[-1].tolist() == trace.leaf(node, leaf).tolist()


def test_it_is_named_as_an_order_of_several_requests(several):
    asked = [
        {
            "model": run.digests["model"],
            "input": run.digests["input"],
            "limit": PASSES,
            "temperature": 0,
            "seed": str(run.seed),
        }
        for run in several.runs
    ]
    assert computation_of(asked, several.digests["graph"]) == identity(several)


@pytest.mark.parametrize("node", [0, 14, 30, 39])
def test_a_dispute_goes_into_the_run_in_which_they_differ(several, node):
    def replaced(index, words):
        if index != node:
            return None
        other = words.copy()
        other[-1, -1] += 1
        return other

    right, wrong = record(several), record(several, replaced, keep_all=True)
    referee, keys = KEYS[2], {"asserter": KEYS[0], "challenger": KEYS[1]}
    begin = {
        "claim": "1" * 64,
        "header": "2" * 64,
        "computation": identity(several),
        "asserter": public(KEYS[0]),
        "challenger": public(KEYS[1]),
        "roots": {"asserter": wrong.tree.root.hex(), "challenger": right.tree.root.hex()},
        "rules": {"delta": 60, "levels": 2, "message_limit": 96_000},
        "budgets": budgets(60, 100),
        "tick": 0,
        "head": {"number": 0, "digest": "3" * 64},
    }
    held = Proceedings(Dispute(several, request(referee, "begin", "0" * 64, begin)), referee)
    play(held, {"asserter": honest(keys["asserter"], wrong), "challenger": honest(keys["challenger"], right)})
    assert (held.dispute.verdict.winner, held.dispute.verdict.node) == ("challenger", node)


def test_a_replaced_node_goes_on_into_the_output(several):
    last = len(several.runs[0].nodes) - 1

    def replaced(index, words):
        return words + 1 if index == last else None

    trace = record(several, replaced, keep_all=True)
    assert trace.output(len(several.nodes) - 1)[0].tolist() == (record(several.runs[0]).output(last)[0] + 1).tolist()


def test_rows_of_other_lengths_end_in_minus_one(several):
    rows = [np.arange(3, dtype=np.int32)[None], np.arange(2, dtype=np.int32)[None]]
    assert Several(several.runs[:2])._output(rows).tolist() == [[0, 1, 2], [0, 1, -1]]
    assert leaf_of(rows[0], 0).size < LEAF


def test_runs_of_two_models_are_no_computation():
    with pytest.raises(InputError, match="of one model"):
        Several([Numbers(), Numbers(weight=8)])
