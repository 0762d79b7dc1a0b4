"""Which ledgers are served: by one process at a time, with the models of leases that are open."""

import pytest
from town import NUMBERS, Town

from auction.errors import InputError
from experiments.marketplace.live.server import Market, Serving, check_models, listening
from experiments.marketplace.models import SmallNumbers
from experiments.marketplace.settings import Settings
from verification.market.rules import Rules


def test_a_ledger_is_served_by_one_process_at_a_time(tmp_path):
    serving = Serving(
        ledger=tmp_path / "market.ledger", keys=tmp_path / "keys", models=NUMBERS, rules=Rules(), settings=Settings()
    )
    with listening(serving) as first, listening(serving) as second:
        market = Market(serving, first)
        with pytest.raises(InputError, match="market.ledger: another process serves it"):
            Market(serving, second)
        market._alone.close()
        Market(serving, second)._alone.close()


def test_the_models_of_open_leases_are_served():
    town = Town()
    user, device = town.join("user"), town.join("device", device=True)
    device.computes = False
    town.order(user)
    check_models(town.ledger, [SmallNumbers("others", weight=9)], "file")
    town.pass_time(6)
    check_models(town.ledger, town.known, "file")
    with pytest.raises(InputError, match=f"file: leases are open of the model {NUMBERS[0].digest}"):
        check_models(town.ledger, [SmallNumbers("others", weight=9)], "file")
