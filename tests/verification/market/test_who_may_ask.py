"""Requests that are the coordinator's are taken from nobody else; whoever asks, all of a request's content is read."""

from inspect import getdoc

import pytest

from verification.ledger.operations import GENESIS, advance
from verification.market.operations import OPERATIONS

KINDS = OPERATIONS | {"advance": advance}
COORDINATORS = sorted(kind for kind in KINDS.keys() - {GENESIS} if "not-the-coordinator" in getdoc(KINDS[kind]))


@pytest.mark.parametrize("kind", COORDINATORS)
def test_nobody_else_asks_what_is_the_coordinator_s(kind, market, refused):
    for party in (market.key("stranger"), market.user, market.owners[0], market.devices[0]):
        assert refused(market.ask, party, kind, {}) == "not-the-coordinator"


@pytest.mark.parametrize("kind", sorted(KINDS.keys() - {GENESIS}))
def test_content_of_other_fields_is_malformed(kind, market, refused):
    party = market.order_of if kind in COORDINATORS else lambda *given: market.ask(market.devices[0], *given)
    assert refused(party, kind, {"surplus": 1}) == "malformed"
