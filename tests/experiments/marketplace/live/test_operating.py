"""An operator credits an owner while the market is served, and an owner renews a device's key."""

import asyncio
import json
import sys

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from auction.commands.terminal import run
from experiments import cli
from experiments.marketplace.live import secrets
from experiments.marketplace.live.ask import Prompt, ask
from experiments.marketplace.live.commands import settings_of
from experiments.marketplace.live.operating import deposit, renew, withdraw
from verification.encoding.signature import public
from verification.errors import Refusal
from verification.ledger.store import Ledger
from verification.market.accounts import free
from verification.market.operations import OPERATIONS

ASKED = Prompt(
    model="tiny", text="Hi", bid=20_000, limit=2, seed=0, temperature=0.0, patience=1, unaudited=True, dry_run=False
)


def name_of(raw):
    return public(Ed25519PrivateKey.from_private_bytes(raw))


def test_money_that_an_operator_credits_is_there_at_once(market, user, bounded, tmp_path):
    """Without it an order is refused; with it one waits, in vain as nobody offers."""
    states = []

    async def work():
        async with market() as served:
            for credit in (0, 5_000_000):
                if credit:
                    await asyncio.to_thread(deposit, served.ledger, tmp_path / "keys", name_of(user), credit)
                told = await ask(served.url, ASKED, user, fund=False, say=lambda _: None, show=lambda _: None)
                states.append((told.state, told.reason))
            with pytest.raises(Refusal, match="is no"):
                deposit(served.ledger, tmp_path / "keys", "ab" * 32, 1)
            path = tmp_path / "saved.keys"
            path.write_text(json.dumps({"owner": user.hex()}))
            assert await withdraw(served.url, path, 4_000_000) == name_of(user)
            with pytest.raises(Refusal, match="holds 1000000, not 4000000"):
                await withdraw(served.url, path, 4_000_000)
            with Ledger(served.ledger, OPERATIONS) as found:
                assert found.state.balances[free(name_of(user))] == 1_000_000

    bounded(work)
    assert states[0] == ("refused", "beyond-free") and states[1][0] == "expired"


def test_a_device_s_key_is_renewed_and_its_owner_s_money_goes_on(market, worker, bounded, tmp_path):
    path = tmp_path / "mine.keys"
    before = secrets.kept(path, ("owner", "device"))

    async def work():
        async with market() as served:
            with pytest.raises(Refusal, match="no device|is no|unknown"):
                await renew(served.url, path)
            assert not (tmp_path / "mine.keys.new").exists()
            assert secrets.kept(path, ("owner", "device")) == before
            async with worker(served.url, keys=before) as working:
                await working.until(lambda: working.device.s)
            names = await renew(served.url, path)
            async with worker(served.url, keys=secrets.kept(path, ("owner", "device"))) as working:
                await working.until(lambda: working.device.s)
            return names, served.ledger

    (old, new), ledger = bounded(work)
    after = secrets.kept(path, ("owner", "device"))
    assert (name_of(before["device"]), name_of(after["device"])) == (old, new)
    assert after["owner"] == before["owner"] and [each.name for each in tmp_path.glob("*.new")] == []
    with Ledger(ledger, OPERATIONS) as found:
        devices = found.state.facts["device"]
    assert devices[old]["removed"] and not devices[new]["removed"] and devices[old]["owner"] == devices[new]["owner"]


@pytest.fixture
def command(monkeypatch, capfd):
    """Run ``market ...`` in this process: exit code, standard output, standard error."""

    def call(*arguments):
        monkeypatch.setattr(sys, "argv", ["experiments", "market", *map(str, arguments)])
        with pytest.raises(SystemExit) as stopped:
            run(cli.app)
        printed = capfd.readouterr()
        return stopped.value.code or 0, printed.out, printed.err

    return call


def test_keys_are_made_and_shown_by_their_public_halves(command, tmp_path):
    path = tmp_path / "mine.keys"
    code, first, _ = command("keys", path, "--json")
    kept = secrets.kept(path, ("owner", "device"))
    assert code == 0 and json.loads(first) == {name: name_of(raw) for name, raw in kept.items()}
    assert path.stat().st_mode & 0o77 == 0 and command("keys", path, "--json")[1] == first
    saved = tmp_path / "page.json"
    saved.write_text(json.dumps({"owner": kept["owner"].hex()}))
    assert json.loads(command("keys", saved, "--json")[1]) == {"owner": name_of(kept["owner"])}


@pytest.mark.parametrize("content", ["", "[]", "1", '{"owner": "ab"}', '{"owner": 1, "device": 2}'])
def test_what_holds_no_keys_is_refused_in_one_line(command, tmp_path, content):
    path = tmp_path / "mine.keys"
    path.write_text(content)
    code, _, said = command("keys", path)
    assert code == 2 and said.count("\n") == 1 and "keys are expected" in said and path.read_text() == content


def test_a_deposit_to_no_ledger_or_by_other_keys_is_refused(command, tmp_path, market, bounded):
    async def work():
        async with market():
            pass

    bounded(work)
    ledger = tmp_path / "market.ledger"
    code, _, said = command("deposit", ledger, "--owner", "ab" * 32, "--tokens", "1")
    assert code == 2 and "there is no such file" in said
    secrets.kept(tmp_path / "market.ledger.keys", ("coordinator",))
    code, _, said = command("deposit", ledger, "--owner", "ab" * 32, "--tokens", "1")
    assert code == 2 and "the key is not that of" in said
    code, _, said = command("deposit", ledger, "--owner", "ab" * 32, "--tokens", "-1")
    assert code == 2 and "not allowed" in said


def test_a_round_has_as_many_ticks_as_fit():
    settings = settings_of(10.0, 2.0, "price_guided", 1.5)
    assert (settings.seconds_per_tick, settings.round_ticks, settings.solve_limit) == (2.0, 5, 5.0)
    assert settings.faucet == 1_500_000
