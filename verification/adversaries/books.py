"""What a scene's ledger and its parties' books say: time, names, records, money, and the secrets of draws."""

from hashlib import sha256
from typing import Any

from verification.adversaries.cast import COORDINATOR, Party
from verification.encoding.canonical import digest
from verification.encoding.signature import public
from verification.ledger.state import BURNT, FUND, Draft, State
from verification.ledger.store import Ledger
from verification.market.records import find, known
from verification.market.rules import Rules


class Books:
    """Of a market whose parties are known by name."""

    ledger: Ledger
    rules: Rules
    parties: dict[str, Party]
    keys: dict[str, str]
    """Names of parties, by an owner's or a device's key."""
    secrets: dict[int, str]
    """Of draws, by number."""

    @property
    def state(self) -> State:
        return self.ledger.state

    @property
    def market(self) -> str:
        return self.state.market

    @property
    def tick(self) -> int:
        return self.state.tick

    @property
    def draft(self) -> Draft:
        return Draft(self.state, self.ledger.blob)

    @property
    def key(self) -> str:
        """The coordinator's."""
        return self.parties[COORDINATOR].key

    def device_of(self, owner: str, lease: str) -> str:
        """An owner's device, which is to compute a lease again."""
        return public(self.party(owner).device)

    @property
    def number(self) -> int:
        """Of the next lease."""
        return self.draft.fact("count", "number") or 0

    def names(self, kind: str) -> list[str]:
        return list(self.draft.subjects(kind))

    def find(self, record: type[Any], name: str) -> Any:
        return find(self.draft, record, name)

    def known(self, record: type[Any], name: str) -> bool:
        return known(self.draft, record, name)

    def party(self, key: str) -> Party:
        """Whose key it is."""
        return self.parties[self.keys[key]]

    def gain(self, *names: str) -> int:
        """Of parties together, free and locked, beyond what they deposited."""
        return sum(self.draft.total(self.parties[name].key) - self.parties[name].deposited for name in names)

    @property
    def fund(self) -> int:
        """What the fund gained since the beginning."""
        return self.draft.balance(FUND) - self.rules.fund_prices * self.rules.largest_price

    @property
    def burnt(self) -> int:
        return self.draft.balance(BURNT)

    def secret(self, number: int) -> str:
        """That draws an audit, or its lots."""
        return self.secrets.setdefault(number, digest(["secret", self.market, number]))

    def seal(self, number: int) -> str:
        return sha256(bytes.fromhex(self.secret(number))).hexdigest()
