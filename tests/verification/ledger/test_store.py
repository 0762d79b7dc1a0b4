"""A request is performed once, wholly or not at all; every process that has the file open sees one ledger."""

from hashlib import sha256

import pytest

from verification.encoding.signature import public
from verification.ledger.store import Ledger

OUTPUT = b"an output"
NAME = sha256(OUTPUT).hexdigest()


def test_a_request_is_performed_once_and_read_again(create, ask, operations, key, tmp_path):
    path = tmp_path / "ledger.db"
    with create(path) as ledger:
        asked = ask(ledger, 1, "deposit", amount="100", nonce="a")
        assert ledger.perform(asked)
        assert not ledger.perform(asked.raw)
        leased = ask(ledger, 1, "lease", stake="30", output=NAME)
        assert ledger.perform(leased, {NAME: OUTPUT})
        assert ledger.perform(ask(ledger, None, "advance", since=0, ticks=6))
        owner = public(key(1))
        assert ledger.state.totals == {owner: 100}
        assert ledger.state.balances == {f"free:{owner}": 70, f"stake:{owner}:{leased.name}": 30}
        with Ledger(path, operations) as again:
            assert again.state == ledger.state
            assert again.blob(NAME) == OUTPUT
            assert [event.request.kind for event in again.events()] == ["genesis", "deposit", "lease", "advance"]
            assert again.perform(ask(ledger, None, "final", lease=leased.name, burnt="10"))
            assert not ledger.perform(asked)
            assert again.state == ledger.state
            assert ledger.state.retired["lease"][0] == 1
            assert ledger.state.balances == {f"free:{owner}": 90, "burnt": 10}


@pytest.mark.parametrize(
    "since, ticks, reason", [(0, 0, "too-far"), (0, 7, "too-far"), (1, 1, "out-of-turn"), (0, 2**53 - 1, "too-far")]
)
def test_time_passes_by_a_tenth_of_delta_at_most(create, ask, refused, since, ticks, reason):
    with create() as ledger:
        assert refused(ledger.perform, ask(ledger, None, "advance", since=since, ticks=ticks)) == reason
        assert refused(ledger.perform, ask(ledger, 1, "advance", since=0, ticks=1)) == "not-the-coordinator"
        assert ledger.head[0] == 0
