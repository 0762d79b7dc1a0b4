"""A page plays disputes against Python, as either party, to the verdict that Python comes to against Python."""

from base64 import b64decode, b64encode
from dataclasses import replace
from functools import cache

import numpy as np
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from inference.computation import Inference
from inference.reference import Reference
from verification.adversaries.corrupt_trace import flip, replaced, with_wrong_step
from verification.dispute.clocks import budgets
from verification.dispute.dispute import Dispute, identity
from verification.dispute.party import honest, play
from verification.dispute.record import Proceedings
from verification.encoding.request import opened, request
from verification.encoding.signature import public
from verification.inference_models import Models, exact
from verification.result import check_result
from verification.task import Task
from verification.trace import leaves, record

TASK = Task("tiny", tuple(b"Hello, world"), 4, 800_000, 3)
MARKET, LEASE = "ab" * 32, "11" * 32
RULES = {"delta": 3, "levels": 2, "message_limit": 96_000}
KEYS = {
    role: Ed25519PrivateKey.from_private_bytes(bytes([at] * 32)) for at, role in enumerate(("asserter", "challenger"))
}
REFEREE = Ed25519PrivateKey.from_private_bytes(bytes([9] * 32))
NODES = {node.name: index for index, node in enumerate(Models().computation(TASK, "numpy", None).nodes)}


@cache
def right():
    return record(Models().computation(TASK, "numpy", None))


def begun(computation, roots):
    """A dispute between two roots, and its proceedings."""
    content = {
        "claim": "22" * 32,
        "header": "33" * 32,
        "computation": identity(computation),
        **{role: public(key) for role, key in KEYS.items()},
        "roots": dict(zip(KEYS, roots, strict=True)),
        "rules": RULES,
        "budgets": budgets(3, 5),
        "tick": 0,
        "head": {"number": 7, "digest": "cd" * 32},
    }
    return Proceedings(Dispute(computation, request(REFEREE, "begin", MARKET, content)), REFEREE)


def judged(asserter, challenger):
    """The verdict of Python against Python."""
    proceedings = begun(right().computation, [trace.tree.root.hex() for trace in (asserter, challenger)])
    play(
        proceedings,
        {"asserter": honest(KEYS["asserter"], asserter), "challenger": honest(KEYS["challenger"], challenger)},
    )
    return proceedings.dispute.verdict


def text(raw):
    return b64encode(raw).decode()


def pem(key):
    return text(key.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption()))


@pytest.fixture(scope="session")
def against_page(browser, asked):
    """The verdict of a page in a role, which holds a kept trace, against Python."""

    def against_page(role, name, root, trace, computation=None):
        other = next(each for each in KEYS if each != role)
        roots = {role: root, other: trace.tree.root.hex()}
        proceedings = begun(computation or right().computation, [roots[each] for each in KEYS])

        def page(dispute):
            entries = [
                {"record": text(each.record.raw), "message": each.message and text(each.message)}
                for each in proceedings.entries
            ]
            key = KEYS[role]
            terms = {"name": name, "key": pem(key), "party": public(key), "market": MARKET}
            return b64decode(browser("play", **terms, begin=text(dispute.begin.raw), entries=entries)["raw"])

        play(proceedings, {role: page, other: honest(KEYS[other], trace)})
        return proceedings.dispute.verdict

    return against_page


@pytest.fixture(scope="session")
def kept(browser, asked):
    """The root of a trace that the page keeps."""

    @cache
    def kept(name, flip=None, on_device=True, end=None):
        flipped = flip and {"node": flip[0], "element": flip[1]}
        given = {"flip": flipped, "onDevice": on_device, "end": end and list(end)}
        return browser("keep", name=name, **asked(TASK), **given)["root"]

    return kept


def wrong_leaf(node):
    trace = right().copy()
    flip(trace, node, right().computation.nodes[node].words - 1)
    return trace


def wrong_step(node):
    leaf = leaves(right().computation.nodes[node]) - 1
    for step in range(len(right().computation.steps(node, leaf))):
        trace = with_wrong_step(right().copy(), node, leaf, step)
        if trace.tree.root != right().tree.root:
            return trace
    raise AssertionError("no step's fault shows")


def followed(node):
    return replaced(right().computation, node, 0)


FAULTS = [
    (name, wrong)
    for name in (
        "prompt000.embedding",
        "prompt000.layer01.attention",
        "step0001.layer00.cache",
        "step0002.layer01.gate",
    )
    for wrong in (wrong_leaf, wrong_step, followed)
]


@pytest.mark.parametrize("role", KEYS)
@pytest.mark.parametrize(("name", "wrong"), [*FAULTS, ("output", wrong_leaf), ("output", wrong_step)])
def test_an_honest_page_wins_where_python_would(kept, against_page, role, wrong, name):
    trace = wrong(NODES[name])
    sides = (right(), trace) if role == "asserter" else (trace, right())
    assert kept("right") == right().tree.root.hex()
    verdict = against_page(role, "right", kept("right"), trace)
    assert verdict == judged(*sides) and verdict.winner == role


@pytest.mark.parametrize("role", KEYS)
@pytest.mark.parametrize("name", ["prompt000.layer00.down", "step0001.layer01.cache", "step0003.sums"])
def test_a_page_that_cheats_loses_where_python_would(kept, against_page, role, name):
    node = NODES[name]
    wrong = replaced(right().computation, node, 0)
    root = kept(f"wrong {name}", (node, 0))
    assert root == wrong.tree.root.hex()
    sides = (wrong, right()) if role == "asserter" else (right(), wrong)
    verdict = against_page(role, f"wrong {name}", root, right())
    assert verdict == judged(*sides) and verdict.winner != role and verdict.node == node


@pytest.mark.parametrize("role", KEYS)
def test_who_ends_its_run_elsewhere_loses_over_the_guard(kept, against_page, role):
    task = {"ids": list(TASK.prompt), "limit": TASK.limit, "temperature": TASK.temperature, "seed": TASK.seed}
    end = (right().tokens[1],)
    ended = record(Inference(Reference(replace(exact("tiny"), end=end)), **task))
    root = kept("ended", end=end)
    assert root == ended.tree.root.hex()
    other = right()
    sides = (ended, other) if role == "asserter" else (other, ended)
    verdict = against_page(role, "ended", root, other)
    assert verdict == judged(*sides) and verdict.winner != role and verdict.reason in ("null-right", "null-wrong")


def test_a_page_signs_a_result_that_counts(browser, kept):
    kept("right")
    key = KEYS["asserter"]
    found = browser("result", name="right", key=pem(key), party=public(key), market=MARKET, lease=LEASE)
    output = b64decode(found["output"])
    assert check_result(opened(b64decode(found["raw"]), MARKET), output, LEASE, right().computation) == kept("right")
    assert np.frombuffer(output, "<i4").tolist() == right().tokens
