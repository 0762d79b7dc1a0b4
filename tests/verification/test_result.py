"""Results: header, output and path lead to one root, or are refused."""

from dataclasses import replace
from hashlib import sha256

import numpy as np
import pytest

from verification.encoding.request import request
from verification.encoding.signature import public
from verification.result import check_result, output_root, sign_result, tokens_of
from verification.trace import record

MARKET, LEASE = "ab" * 32, "cd" * 32


def test_a_result_leads_from_its_output_to_the_root(toy, key):
    trace = record(toy)
    result, output = sign_result(key(1), MARKET, LEASE, trace)
    assert check_result(result, output, LEASE, toy) == trace.tree.root.hex()
    assert tokens_of(output) == trace.tokens
    assert np.frombuffer(output, "<i4").tolist() == trace.leaf(len(toy.nodes) - 1, 0).tolist()
    assert sha256(output).hexdigest() == result.content["output"]


def test_what_is_no_result_on_the_lease_is_refused(toys, make_toy, key, refused):
    toy = toys["small"]
    result, output = sign_result(key(1), MARKET, LEASE, record(toy))

    def edited(by=1, kind="result", market=MARKET, **header):
        content = result.content | {"header": result.content["header"] | header}
        return request(key(by), kind, market, content)

    assert refused(check_result, edited(kind="claim"), output, LEASE, toy) == "wrong-kind"
    assert refused(check_result, edited(by=2), output, LEASE, toy) == "not-the-provider"
    assert refused(check_result, edited(market="0" * 64), output, LEASE, toy) == "other-market"
    assert refused(check_result, edited(lease="0" * 64), output, LEASE, toy) == "other-lease"
    assert refused(check_result, edited(root="0" * 64), output, LEASE, toy) == "wrong-output"
    assert (
        refused(check_result, edited(root=result.content["header"]["root"].upper()), output, LEASE, toy) == "malformed"
    )
    assert refused(check_result, result, output[:-4], LEASE, toy) == "wrong-output"
    assert refused(check_result, result, output[::-1], LEASE, toy) == "wrong-output"
    assert refused(check_result, result, output, LEASE, make_toy(passes=2)) == "wrong-output"
    for content in (None, {}, {"header": {}, "output": "", "path": ""}):
        assert refused(check_result, replace(result, content=content), output, LEASE, toy) == "malformed"


@pytest.mark.parametrize("place", ["output", "path", "count"])
def test_another_output_path_or_schedule_leads_elsewhere(toys, key, place):
    toy = toys["small"]
    trace = record(toy)
    _, output = sign_result(key(1), MARKET, LEASE, trace)
    path, nodes = tuple(trace.tree.path(len(toy.nodes) - 1)), len(toy.nodes)
    assert output_root(output, 1, toy.passes, nodes, path) == trace.tree.root.hex()
    other = {
        "output": (bytes([output[0] ^ 1]) + output[1:], 1, toy.passes, nodes, path),
        "path": (output, 1, toy.passes, nodes, (*path[:-1], bytes(32))),
        "count": (output, 1, toy.passes, nodes + 5, path),
    }[place]
    assert output_root(*other) != trace.tree.root.hex()
    assert output_root(output, 1, toy.passes + 1, nodes, path) is None
    assert output_root(output, 1, toy.passes, nodes, path[:-1]) is None


def test_the_same_result_is_signed_once(toys, key):
    trace = record(toys["small"])
    assert sign_result(key(1), MARKET, LEASE, trace) == sign_result(key(1), MARKET, LEASE, trace)
    assert sign_result(key(2), MARKET, LEASE, trace)[0].content["header"]["provider"] == public(key(2))
