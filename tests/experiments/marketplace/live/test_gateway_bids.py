import pytest

from experiments.marketplace.live.gateway import bid_of
from inference.completions.asked import Refused


@pytest.mark.parametrize(("text", "bid"), [(None, 7), ("1", 10**6), ("0.000001", 1), ("1e2", 10**8)])
def test_a_bid_is_an_amount_of_tokens(text, bid):
    assert bid_of(text, 7) == bid


@pytest.mark.parametrize(
    "text", ["", "x", "nan", "snan", "inf", "-1", "0", "1e-400", "1e400", "1e999990", "1e999999999", "0.0000001"]
)
def test_what_is_none_is_refused_at_once(text):
    with pytest.raises(Refused, match="an amount of tokens above 0"):
        bid_of(text, 7)
