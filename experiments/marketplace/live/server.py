"""The market served: a coordinator on a ledger's file behind HTTP and websockets."""

import asyncio
import fcntl
import socket
import ssl
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from ipaddress import ip_address
from pathlib import Path
from typing import TextIO

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from auction.errors import InputError
from experiments.marketplace.coordinator import Coordinator
from experiments.marketplace.live import secrets
from experiments.marketplace.live.application import application
from experiments.marketplace.live.driver import Driver
from experiments.marketplace.live.gateway import Gateway, Models
from experiments.marketplace.live.sockets import Limits, Protocol
from experiments.marketplace.messages import MOST_BYTES
from experiments.marketplace.models import Known, Language
from experiments.marketplace.settings import Settings
from inference.browser.connection import QUEUE, Server, server
from inference.browser.connection import Limits as Requests
from inference.browser.guard import guarded, not_http
from inference.completions.application import application as completions
from inference.generate import CHUNK
from verification.encoding.canonical import digest
from verification.encoding.signature import public
from verification.ledger.state import Draft
from verification.ledger.store import Ledger
from verification.market.operations import OPERATIONS
from verification.market.records import Lease, Order, find
from verification.market.rules import Rules
from verification.protocol import protocol

HOST = "127.0.0.1"
KEYS = ("coordinator", "secret", "gateway")
"""By name: the coordinator's, what its draws are derived from, and the user's in whose name completions are ordered."""
OWN_S, OWN_SLOTS, FOREVER = 16, 64, 2**32
"""Of the coordinator's own offer, to audit where nobody else could."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Serving:
    """What is served, and where."""

    ledger: Path
    keys: Path
    """The coordinator's key and the secret of its draws; made with the ledger."""
    models: Sequence[Known]
    rules: Rules
    """Of a market that begins; one that goes on has its own."""
    settings: Settings
    host: str = HOST
    port: int = 0
    certificate: Path | None = None
    """And its key, as PEM: TLS."""
    private: Path | None = None
    limits: Limits = field(default_factory=Limits)
    api_key: str | None = None
    """That completions at /v1 ask for; None: none."""
    bid: int = 100_000
    """Micro-tokens of a completion whose request bears no bid."""
    patience: int = 600
    """Ticks that a completion's order waits."""


def coordinator(serving: Serving, found: Mapping[str, bytes], now: float) -> Coordinator:
    """The coordinator of a ledger, which goes on where it stood or begins.

    Raises:
        InputError: the ledger is of another key, or see ``check_models``.
        Refusal: it cannot be opened.
    """
    key = Ed25519PrivateKey.from_private_bytes(found["coordinator"])
    if serving.ledger.exists():
        ledger = Ledger(serving.ledger, OPERATIONS)
        if (owner := next(ledger.events()).request.party) != public(key):
            raise InputError(f"{serving.keys}: the key is not that of {serving.ledger}, which is {owner}")
        check_models(ledger, serving.models, serving.ledger)
    else:
        rules = serving.rules
        agreed = protocol(CHUNK, rules.levels, rules.message_limit)
        genesis = {"coordinator": public(key), "rules": rules.plain(), "protocol": agreed}
        ledger = Ledger.create(serving.ledger, key, genesis, OPERATIONS)
    made = Coordinator(ledger, key, found["secret"], serving.models, serving.settings, now)
    models = [{"model": model.digest, "s": OWN_S} for model in serving.models]
    terms = {"models": models, "slots": OWN_SLOTS, "cost": "1", "expiry": FOREVER, "nonce": digest(models)}
    made.desk.order_of("offer", terms)
    return made


def alone(serving: Serving) -> TextIO:
    """A lock on a market's keys, held until it is closed or the process ends: two coordinators would count its time
    twice, and each would take the other's devices for gone.

    Raises:
        InputError: another process serves it.
    """
    lock = serving.keys.open()
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        lock.close()
        raise InputError(f"{serving.ledger}: another process serves it") from None
    return lock


def check_models(ledger: Ledger, models: Sequence[Known], path: Path) -> None:
    """That the models are traded that leases are open of: the coordinator may have to referee over them.

    Raises:
        InputError: one is not.
    """
    draft, traded = Draft(ledger.state), {model.digest for model in models}
    for name in draft.subjects("lease"):
        lease = find(draft, Lease, name)
        if missing := set(find(draft, Order, lease.order).models(lease.part)) - traded:
            raise InputError(f"{path}: leases are open of the model {missing.pop()}, which has to be served too")


def hosts(host: str, port: int, *, tls: bool) -> frozenset[str]:
    """What browsers may call this server; they leave the usual port out."""
    names = {host, "localhost"} if is_loopback(host) else {host, socket.gethostname(), socket.getfqdn()}
    return frozenset(name + ("" if port == (443 if tls else 80) else f":{port}") for name in names)


def is_loopback(host: str) -> bool:
    """Whether nobody but this machine reaches a host."""
    with suppress(ValueError):
        return ip_address(host).is_loopback
    return host == "localhost"


def listening(serving: Serving) -> socket.socket:
    """The socket on which a market is served.

    Raises:
        InputError: the port is taken or not allowed; a host that others reach, without TLS, or files that are not its.
    """
    host, port = serving.host, serving.port
    if not 0 <= port < 2**16:
        raise InputError(f"port {port} is not allowed; 0 (a free one) to 65535")
    if (serving.certificate is None) != (serving.private is None):
        raise InputError("--tls-certificate and --tls-key go together")
    if serving.certificate is None and not is_loopback(host):
        raise InputError(f"--host {host}: others reach it; --tls-certificate and --tls-key are needed")
    for path in (serving.certificate, serving.private):
        if path is not None and not path.is_file():
            raise InputError(f"{path}: there is no such file")
    if serving.certificate is not None:
        try:
            ssl.create_default_context(ssl.Purpose.CLIENT_AUTH).load_cert_chain(serving.certificate, serving.private)
        except OSError as error:
            what = "a certificate and its key, in PEM, are expected"
            raise InputError(f"{serving.certificate}, {serving.private}: {what} ({error})") from None
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        return socket.create_server((host, port), family=family, backlog=QUEUE)
    except OSError as error:
        raise InputError(f"port {port} of {host} cannot be used ({error.strerror}); --port takes another") from None


class Market:
    """A market to be served; ``run`` serves it.

    Raises:
        InputError: see ``secrets.kept`` and ``alone``.
    """

    def __init__(self, serving: Serving, listener: socket.socket) -> None:
        self.serving, self.listener = serving, listener
        keys = secrets.kept(serving.keys, KEYS)
        self._alone = alone(serving)
        self.driver = Driver(lambda now: coordinator(serving, keys, now))
        fund = bool(serving.settings.faucet)
        self.gateway = Gateway(self.driver, keys["gateway"], bid=serving.bid, patience=serving.patience, fund=fund)
        self.port: int = listener.getsockname()[1]
        self._server: Server | None = None

    @property
    def url(self) -> str:
        """Of its pages."""
        scheme = "http" if self.serving.certificate is None else "https"
        host = self.serving.host
        return f"{scheme}://{f'[{host}]' if ':' in host else host}:{self.port}"

    def stop(self) -> None:
        """End ``run``; may be called before it begins."""
        if self._server is not None:
            self._server.should_exit = self._server.force_exit = True

    async def run(self, told: Callable[[], None] = lambda: None) -> None:
        """Serve, until stopped; ``told`` is called when peers may come.

        Raises:
            InputError, Refusal: see ``coordinator``; the ledger cannot be written any more.
        """
        serving, tls = self.serving, self.serving.certificate is not None
        names = tuple(model.name for model in serving.models if isinstance(model, Language))
        requests = Requests()
        complete = completions(Models(names), self.gateway.complete, serving.api_key)
        app = guarded(
            application(self.driver, names, serving.limits, complete),
            hosts(serving.host, self.port, tls=tls),
            requests,
            "https" if tls else "http",
        )
        self._server = server(
            app,
            requests,
            not_http(),
            ws=Protocol,
            ws_max_size=MOST_BYTES,
            ws_per_message_deflate=False,
            ssl_certfile=serving.certificate,
            ssl_keyfile=serving.private,
        )
        driving = asyncio.create_task(self.driver.run())
        ready = asyncio.create_task(self.driver.ready.wait())
        await asyncio.wait((driving, ready), return_when=asyncio.FIRST_COMPLETED)
        ready.cancel()
        if driving.done():
            await driving
        driving.add_done_callback(lambda _: self.stop())
        ordering = asyncio.create_task(self.gateway.run())
        told()
        try:
            await self._server.serve([self.listener])
        finally:
            ordering.cancel()
            driving.cancel()
            await asyncio.wait((ordering, driving))
            self._alone.close()
        for task in (ordering, driving):
            if not task.cancelled():
                task.result()
