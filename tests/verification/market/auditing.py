"""What the coordinator of a small market does over audits."""

import hmac
from hashlib import sha256
from itertools import count

from requesting import MODEL, Requesting

from verification.encoding.canonical import canonical
from verification.encoding.request import request
from verification.encoding.signature import public
from verification.errors import Refusal
from verification.market import auditors, draws
from verification.market.leases import ENOUGH, coordinator_could
from verification.market.records import Audit, Device, Result


class Auditing(Requesting):
    """Audits, as an honest coordinator and verifiers make them; who misnames a lot does not."""

    def served(self, device: str, value: int = 1, *, drawn: bool = False, order=None, **terms) -> str:
        """A lease with a result that is drawn, or is not: its secret is one of which this is so."""
        for attempt in count():
            number = self.number
            secret = self.secrets[number] = hmac.new(b"another", f"{number} {attempt}".encode(), sha256).hexdigest()
            content, _ = self.result_of(self.seal(number), device, value)
            signed = sha256(request(self.keys[device], "result", self.ledger.market, content).raw).hexdigest()
            if draws.drawn(secret, signed, self.rules.audit) == drawn:
                break
        lease = self.assign(order or self.order(), device, **terms)
        self.accept(lease)
        self.result(lease, value)
        return lease

    def shown(self, device: str, value: int = 1, **terms) -> str:
        """A lease whose result was not drawn and is open to claims."""
        lease = self.served(device, value, **terms)
        self.publish(lease)
        return lease

    def end(self, lease: str) -> None:
        """Let a shown result's window pass; it is final, and who confirmed it is paid."""
        found = self.find(Result, lease)
        self.advance(found.window + 1 - self.tick)
        self.final(lease)
        for verifier in found.confirmed:
            self.final(verifier)

    def could(self, lease: str) -> list[list[str]]:
        """Who could audit it, with weights."""
        return auditors.listing(self.draft, lease)

    def audit(self, lease: str) -> str:
        """Draw the next lot of a result and lease its audit to its owner's first device; the verifier's lease."""
        self.draw_lot(lease)
        return self.verifier(lease)

    def draw_lot(self, lease: str) -> None:
        """The next lot, as an honest coordinator draws it."""
        index, owner = 0, public(self.coordinator)
        if lease in self.names("audit"):
            index = len([lot for lot in self.find(Audit, lease).lots if lot != owner])
        if not index and lease not in self.sealed:
            self.lists[lease] = self.could(lease)
        weights = [(other, int(weight)) for other, weight in self.lists[lease]]
        if index < len(weights) and (len(weights) >= ENOUGH or not coordinator_could(self.draft, [MODEL])):
            owner = draws.lots(self.lot_secret(lease), self.find(Result, lease).signed, weights, index + 1)[index]
        self.lot(lease, owner)

    def lot_secret(self, lease: str) -> str:
        """What draws an audit's lots."""
        return self.secret(self.sealed.get(lease, self.lease(lease).number))

    def lot(self, lease: str, owner: str) -> None:
        """The owner is drawn next."""
        audit = self.find(Audit, lease) if lease in self.names("audit") else Audit(seal=lease)
        content = {"lease": lease, "seal": audit.seal or lease, "index": len(audit.lots), "owner": owner}
        self.order_of("lot", content)

    def seal_lots(self, lease: str) -> None:
        """Seal the secret of a bought audit's lots."""
        number, buyer = self.number, self.find(Audit, lease).buyer
        self.order_of("seal", {"lease": lease, "number": number, "seal": self.seal(number)})
        self.sealed[lease], self.lists[lease] = number, auditors.listing(self.draft, lease, buyer)

    def challenge(self, lease: str, owner: str) -> None:
        """Buy an audit, whose lots are sealed at once."""
        self.ask(owner, "challenge", {"lease": lease})
        self.seal_lots(lease)

    def verifier(self, lease: str) -> str:
        """Lease an audit to the first device of the owner whose lot it is; the verifier's lease."""
        lots, number = self.find(Audit, lease).lots, self.number
        own = [key for key in self.names("device") if lots and self.find(Device, key).owner == lots[-1]]
        device = next((key for key in own if not self.find(Device, key).removed), self.devices[0])
        self.order_of("audit", {"lease": lease, "device": device, "number": number, "seal": self.seal(number)})
        return self.seal(number)

    def verify(self, verifier: str, value: int = 1) -> None:
        """The verifier accepts and gives its result."""
        if self.lease(verifier).state == "offered":
            self.accept(verifier)
        self.result(verifier, value)

    def reveal(self, lease: str, *, weights=None, number=None) -> None:
        """Show the secret of an audit's lots, and the list they are drawn from."""
        secret = self.lot_secret(lease) if number is None else self.secret(number)
        content, raw = {"lease": lease, "secret": secret, "list": None}, canonical(weights or self.lists.get(lease, []))
        if set(self.find(Audit, lease).lots) <= {public(self.coordinator)}:
            self.order_of("reveal", content)
        else:
            listed = sha256(raw).hexdigest()
            self.order_of("reveal", content | {"list": listed}, {listed: raw})
        self.sealed.pop(lease, None)

    def misname(self, lease: str) -> str:
        """Name another owner as the first lot than is drawn; who."""
        self.lists[lease] = self.could(lease)
        weights = [(other, int(weight)) for other, weight in self.lists[lease]]
        drawn = draws.lots(self.lot_secret(lease), self.find(Result, lease).signed, weights, 1)
        owner = next(other for other, _ in weights if [other] != drawn)
        self.lot(lease, owner)
        self.misnamed.add(lease)
        return owner

    def conclude(self, lease: str, value: int = 1) -> str:
        """Audit a result to its end, where the verifier confirms it; the verifier's lease."""
        verifier = self.audit(lease)
        self.verify(verifier, value)
        self.reveal(lease)
        return verifier

    def nobody(self, lease: str) -> bool:
        """Whether nobody could audit it."""
        return auditors.nobody_could(self.draft, lease)

    def audit_if_free(self, lease: str) -> None:
        """An audit goes to who is drawn, once a slot is free, or to the next one; or nobody is left."""
        for step in (self.verifier, self.draw_lot, self.verifier, self.reveal):
            try:
                step(lease)
            except Refusal:
                continue
            if step in (self.verifier, self.reveal):
                return
