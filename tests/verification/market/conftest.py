"""A small market in memory: an honest coordinator, owners with a device each, users; results are of three nodes."""

from contextlib import suppress

import pytest
from disputing import Disputing
from requesting import answer

from verification.errors import Refusal
from verification.ledger.state import FUND
from verification.market.records import Audit, Claim, Deputies, Device, Lease, Offer, Order, Result


class Market(Disputing):
    """A market whose ends can be waited for."""

    def drain(self, right: int, seen=lambda event: None) -> None:
        """Everybody is honest from here on, nothing new begins, and what is open ends; ``seen`` sees the events."""
        for _ in range(100):
            first = self.ledger.head[0] + 1
            for order in self.names("order"):
                if self.find(Order, order).waiting:
                    self.ask(self.find(Order, order).user, "cancel", {"order": order})
            for claim in self.names("claim"):
                if claim in self.names("claim"):
                    found = self.find(Result, self.find(Claim, claim).lease)
                    self.judge(claim, found.root != answer(right)[0])
            for lease in self.names("lease"):
                if lease in self.names("lease"):
                    self._drain(lease, right)
            for event in self.ledger.events(first):
                seen(event)
            if not self.names("lease") + self.names("order"):
                return
            self.advance(self.rules.delta)
        raise AssertionError(f"open still: {[self.lease(name).state for name in self.names('lease')]}")

    def _drain(self, lease: str, right: int) -> None:
        found = self.lease(lease)
        if found.state == "offered":
            self.ask(found.device, "decline", {"lease": lease})
        elif found.state == "held":
            late = self.tick > found.due
            self.order_of("miss", {"lease": lease, "why": "late"}) if late else self.result(lease, right)
        elif found.state == "received":
            if not self.nobody(lease) and (self.drawn(lease) or self.tick > found.due):
                self.audit_if_free(lease)
            else:
                self.publish(lease)
        elif found.state == "audited":
            audit = self.find(Audit, lease)
            if lease in self.misnamed:
                with suppress(Refusal):  # too early
                    self.annul(lease)
            elif not audit.seal:
                self.seal_lots(lease)
            elif audit.outcome == "stands":
                self.reveal(lease)
            elif not audit.verifier:
                self.audit_if_free(lease)
        elif found.state == "due" and found.payer == FUND and self.fund < found.price:
            return  # it waits for the fees of results that are open
        elif found.state == "due" or (found.state == "published" and self.tick > self.find(Result, lease).window):
            self.final(lease)

    def check_nothing_is_left(self) -> None:
        """Nothing locked but by orders that wait, nothing owed."""
        assert not any(map(self.names, ("lease", "result", "audit", "claim", "dispute", "deputies")))
        accounts = {account.partition(":")[0] for account in self.ledger.state.balances}
        assert accounts <= {"free", "fund", "burnt", "escrow"}
        assert self.draft.fact("fund", "owed") in (None, 0)
        self.ledger.state.check()


@pytest.fixture(scope="session")
def make_market():
    """A market of any rules."""
    return Market


@pytest.fixture
def market():
    """A market with a short window: a user and five owners with a device each, all of a million free."""
    return Market(window=60)


@pytest.fixture(scope="session")
def records():
    """The classes of what the ledger knows."""
    return {kind.__name__.lower(): kind for kind in (Audit, Claim, Deputies, Device, Lease, Offer, Order, Result)}


@pytest.fixture
def awaited(market):
    """A right result whose asserter was silent in a dispute, and the claim."""
    return market.absent()
