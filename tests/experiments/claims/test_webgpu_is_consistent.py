"""The criterion judges digests, rates and corner cases, numpy's beside the stacks' for integers alone."""

import numpy as np
import pandas as pd
import pytest

from experiments.claims import webgpu_is_consistent as claim
from inference.generate import generate
from inference.models.llama import model
from inference.models.tiny import tiny
from inference.reference import Reference

STACKS = (("wgpu", "lavapipe"), ("dawn", "lavapipe"), ("dawn", "SwiftShader"))


def results(
    floats="aaa",
    integers="eee",
    numpys="ne",
    rates=(4.0, 4.0, 4.0),
    differ=0,
    wrong=("", "", ""),
    others="aa",
    whole="ee",
):
    """Digests by stack and numpy's own; rates in float32; integers' nodes that differ; a second model on two stacks."""
    first, second = numpys
    rows = [
        ("tiny", "float32", "numpy", "numpy", first, 0, np.nan),
        ("tiny", "exact", "numpy", "numpy", second, 0, np.nan),
    ]
    rows += [("tiny", "float32", *s, d, 3, rate) for s, d, rate in zip(STACKS, floats, rates, strict=True)]
    rows += [("tiny", "exact", *s, digest, differ, 1.0) for s, digest in zip(STACKS, integers, strict=True)]
    rows += [("other", "float32", *s, digest, 5, 100.0) for s, digest in zip(STACKS[:2], others, strict=True)]
    rows += [("other", "exact", *s, digest, 0, 1.0) for s, digest in zip(STACKS[:2], whole, strict=True)]
    columns = ["model", "arithmetic", "implementation", "driver", "digest", "nodes that differ", "tokens per second"]
    corner = pd.DataFrame(
        [(*s, w) for s, w in zip(STACKS, wrong, strict=True)], columns=["implementation", "driver", "wrong"]
    )
    return {"runs": pd.DataFrame(rows, columns=columns).assign(nodes=10), "corner cases": corner}


@pytest.mark.parametrize(
    "how, verdict",
    [
        ({}, "upheld"),  # numpy's float32 differs, which is no stack
        ({"floats": "aab"}, "qualified"),
        ({"others": "ab"}, "qualified"),
        ({"others": "bb"}, "upheld"),  # another model has other digests
        ({"rates": (4.0, 2.0, 3.0)}, "upheld"),
        ({"rates": (4.0, 1.99, 3.0)}, "qualified"),
        ({"integers": "eef"}, "refuted"),
        ({"integers": "fff"}, "refuted"),  # all alike, but not numpy's
        ({"whole": "ef"}, "refuted"),  # of one model of two
        ({"differ": 1}, "refuted"),
        ({"wrong": ("", "", "shift by 32")}, "refuted"),
    ],
)
def test_the_criterion_judges_as_it_reads(how, verdict):
    assert claim.check(results(**how)).verdict == verdict


@pytest.mark.parametrize("stacks, verdict", [(0, "undecided"), (1, "undecided"), (2, "refuted")])
def test_fewer_than_two_stacks_decide_nothing(stacks, verdict):
    found = results(integers="fff")
    judged = claim.check(found | {"corner cases": found["corner cases"][:stacks]})
    assert judged.verdict == verdict and (judged.figure == "") is (stacks < 2)


def test_the_figure_counts_stacks_and_digests():
    verdict = claim.check(results("aab", "eef", rates=(6.0, 2.0, 4.0)))
    assert verdict.figure == "3 stacks: 2 digests in float32, 2 in integers"
    assert verdict.explanation.startswith(
        "In float32 up to 50% of the nodes differ from numpy's, and the fastest stack"
    )
    assert "is 3.0 times as fast" in verdict.explanation


def test_nodes_that_differ_are_counted(monkeypatch):
    monkeypatch.setattr(claim, "Runtime", lambda built, device: Reference(built))
    built = model("tiny", tiny(), "exact")
    expected = generate(Reference(built), [1, 2], limit=2, trace=True)
    digest, differ, nodes, tokens, _ = claim._compared(built, None, [1, 2], expected)
    assert (digest, differ, nodes, tokens) == (expected.digest, 0, len(expected.trace), expected.tokens)
    expected.trace[3] = expected.trace[3] | {"digest": "0" * 64}
    assert claim._compared(built, None, [1, 2], expected)[1] == 1
