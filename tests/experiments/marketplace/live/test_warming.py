"""The market holds a round before it opens, and only then says where it is."""

import pytest

from auction.instances import generate
from auction.solvers.auto import PAIRS, choose
from experiments.marketplace import auctioneer
from experiments.marketplace.live import commands, warming
from experiments.marketplace.settings import Settings


@pytest.fixture
def done():
    """What was done, in order."""
    return []


def test_a_round_is_held_and_explained_with_the_solvers_that_rounds_will_meet(done, monkeypatch):
    for module, name in ((auctioneer, "answer"), (warming, "explain")):
        whole = getattr(module, name)
        monkeypatch.setattr(module, name, lambda asked, whole=whole, name=name: (done.append(name), whole(asked))[1])
    solve = warming.solvers.solve
    monkeypatch.setattr(
        warming.solvers, "solve", lambda *given, **options: (done.append(given[1]), solve(*given, **options))[1]
    )
    warming.warm(Settings())
    assert done[0] == "answer" and set(done) == {"answer", "explain", "auto", warming.BEYOND}


def test_what_is_beyond_an_integer_programme_is_what_was_warmed():
    size = int(PAIRS**0.5) + 1
    market = generate("uniform", tasks=size, providers=size, types=1, seed=0)
    assert choose(market, "bundle").solver == warming.BEYOND


def test_where_it_is_is_said_when_all_is_ready(done, monkeypatch, tmp_path, capsys):
    monkeypatch.setattr(commands, "warm", lambda settings: done.append("warm"))

    class Market:
        url = "http://market"

        def __init__(self, serving, listener):
            done.append("market")

        async def run(self, told):
            told()

    monkeypatch.setattr(commands, "Market", Market)
    commands.serve(tmp_path / "ledger", "127.0.0.1", 0, ["tiny"], Settings(), [], None, None, None, 0.1)
    assert done == ["warm", "market"] and "http://market/watch" in capsys.readouterr().err
