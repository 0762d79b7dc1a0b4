from hashlib import sha256

import pytest

from experiments.marketplace.check import computed
from experiments.marketplace.models import Language, SmallNumbers, request_of
from experiments.marketplace.orders import MOST_DRAWN, check_requests
from verification.errors import Refusal

TINY = Language("tiny")


def asked(limit, **terms):
    return {"limit": limit, "temperature": 0, "seed": "3", **terms}


@pytest.mark.parametrize("tokens", [1, 127, 128, 129, 300])
@pytest.mark.parametrize(
    "request_",
    [asked(1), asked(2), asked(9, temperature=700_000), asked(3, temperature=700_000, top_k=5, top_p=900_000)],
    ids=str,
)
def test_the_shape_of_a_request_is_that_of_its_run(tokens, request_):
    raw = TINY.input([1] * tokens)
    run, shape = TINY.computation(request_, raw), TINY.shape(request_, raw)
    last = run.nodes[-1]
    assert shape.graph == run.digests["graph"] and shape.nodes == len(run.nodes)
    assert (shape.rows, shape.words) == (last.rows, last.words) and TINY.words(request_, raw) == last.words


def test_a_long_request_is_checked_without_its_run(monkeypatch):
    model, limits = Language("tiny"), []
    inference = Language._inference

    def seen(self, request, ids):
        limits.append(request["limit"])
        return inference(self, request, ids)

    monkeypatch.setattr(Language, "_inference", seen)
    for limit in range(400, 500):
        model.shape(asked(limit, temperature=60_000), model.input([1]))
    assert limits and set(limits) == {1} and len(limits) < 110
    limits.clear()
    for limit in range(400, 500):
        model.words(asked(limit, temperature=60_000), model.input([1]))
    assert not limits


@pytest.mark.parametrize(
    "request_", [asked(2**24), asked(512), asked(3, temperature=1), asked(3, temperature=70_000, top_k=0)], ids=str
)
def test_what_no_device_could_run_is_refused(request_):
    with pytest.raises(Refusal, match="tiny: "):
        TINY.words(request_, TINY.input([1]))


def test_an_order_draws_its_tokens_in_few_ways():
    raw = TINY.input([1])
    name = sha256(raw).hexdigest()
    requests = [request_of(TINY, name, limit=3, temperature=0.1 + at / 100) for at in range(MOST_DRAWN + 1)]
    check_requests({TINY.digest: TINY}, requests[1:], {name: raw})
    with pytest.raises(Refusal, match="17 ways to draw tokens; an order has at most 16"):
        check_requests({TINY.digest: TINY}, requests, {name: raw})


def test_a_checked_ledger_may_have_leased_what_cannot_be_run():
    numbers, raw = SmallNumbers(), TINY.input([1])
    token = numbers.input(4)
    inputs = {sha256(each).hexdigest(): each for each in (raw, token)}
    own, other = inputs
    for requests in (
        [request_of(TINY, own, limit=2**24)],
        [request_of(TINY, own, limit=3, temperature=0.000_001)],
        [request_of(TINY, own, limit=3), request_of(numbers, other, limit=3)],
    ):
        with pytest.raises(Refusal):
            computed(requests, inputs)
