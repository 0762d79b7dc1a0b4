"""A market that others reach is served with TLS alone: workers and users verify its certificate."""

import datetime
import ipaddress
import ssl

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from websockets.asyncio.client import connect
from websockets.exceptions import InvalidStatus

from auction.errors import InputError
from experiments.marketplace.live.ask import Prompt, ask
from experiments.marketplace.live.party import socket_of
from experiments.marketplace.live.server import Serving, listening
from experiments.marketplace.models import Language
from experiments.marketplace.settings import Settings
from verification.market.rules import Rules


@pytest.fixture
def certified(tmp_path):
    """Files of a certificate of this machine, signed by itself, and of its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "localhost")])
    now = datetime.datetime.now(datetime.UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    plain = serialization.NoEncryption()
    (tmp_path / "market.pem").write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    (tmp_path / "market.key").write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, plain)
    )
    return {"certificate": tmp_path / "market.pem", "private": tmp_path / "market.key"}


def test_a_worker_serves_a_user_over_tls(market, worker, user, certified, bounded, monkeypatch):
    monkeypatch.setenv("SSL_CERT_FILE", str(certified["certificate"]))
    asked = Prompt(
        model="tiny",
        text="Hi",
        bid=20_000,
        limit=2,
        seed=0,
        temperature=0.0,
        patience=10**6,
        unaudited=True,
        dry_run=False,
    )

    async def work():
        async with market(**certified) as served, worker(served.url) as working:
            assert served.url.startswith("https://") and socket_of(served.url).startswith("wss://")
            await working.until(lambda: working.device.s)
            return await ask(served.url, asked, user, fund=True, say=lambda _: None, show=lambda _: None)

    told = bounded(work)
    assert told.final and len(told.tokens) == 2


def test_a_page_s_origin_is_the_encrypted_one(market, certified, bounded):
    context = ssl.create_default_context(cafile=certified["certificate"])

    async def work():
        async with market(**certified) as served:
            async with connect(socket_of(served.url), ssl=context, origin=served.url) as page:
                assert '"type":"challenge"' in await page.recv()
            with pytest.raises(InvalidStatus):
                async with connect(socket_of(served.url), ssl=context, origin=served.url.replace("https", "http")):
                    pass

    bounded(work)


def test_a_certificate_that_nobody_vouches_for_is_refused(market, user, certified, bounded):
    asked = Prompt(
        model="tiny", text="Hi", bid=1, limit=1, seed=0, temperature=0.0, patience=1, unaudited=True, dry_run=True
    )

    async def work():
        async with market(**certified) as served:
            with pytest.raises(InputError, match="certificate verify failed"):
                await ask(served.url, asked, user, fund=True, say=lambda _: None, show=lambda _: None)

    bounded(work)


@pytest.mark.parametrize(
    "given, said",
    [
        ({"host": "0.0.0.0"}, "others reach it"),
        ({"certificate": True}, "go together"),
        ({"private": True}, "go together"),
        ({"host": "0.0.0.0", "certificate": True, "private": "nowhere.pem"}, "there is no such file"),
        ({"certificate": "text.pem", "private": True}, "a certificate and its key, in PEM, are expected"),
        ({"certificate": True, "private": "text.pem"}, "a certificate and its key, in PEM, are expected"),
    ],
)
def test_what_others_reach_takes_both_files(tmp_path, certified, given, said):
    (tmp_path / "text.pem").write_text("no certificate")
    paths = {
        name: certified[name] if given[name] is True else tmp_path / given[name] for name in certified if name in given
    }
    serving = Serving(
        ledger=tmp_path / "ledger",
        keys=tmp_path / "keys",
        models=[Language("tiny")],
        rules=Rules(),
        settings=Settings(),
        host=given.get("host", "127.0.0.1"),
        **paths,
    )
    with pytest.raises(InputError, match=said):
        listening(serving)
