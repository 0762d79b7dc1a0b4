from experiments.marketplace import messages
from verification.result import tokens_of


def test_an_order_is_leased_computed_shown_and_paid(town):
    user, device = town.join("user"), town.join("provider", device=True)
    town.order(user)
    town.run()
    computation = town.known[0].computation({"seed": "0"}, b"4")
    assert tokens_of(user.last(messages.Output).output) == computation.run(lambda first, outputs: None)
    assert [final.outcome for final in user.of(messages.Final)] == ["final", "served"]
    assert device.last(messages.Final).outcome == "final"
    assert int(device.last(messages.Final).paid) > 500
    assert not user.of(messages.Refused) and not device.of(messages.Refused)


def test_many_orders(town):
    users = [town.join(f"user {at}") for at in range(3)]
    for at in range(5):
        town.join(f"provider {at}", device=True)
    for at in range(30):
        town.order(users[at % 3], inputs=(at,))
    town.run()
    assert sum(final.outcome == "served" for user in users for final in user.of(messages.Final)) == 30
    town.ledger.state.check()


def test_a_user_that_was_away_is_told_what_became_of_its_order(town):
    user, _ = town.join("user"), town.join("provider", device=True)
    asked = town.order(user)
    town.do(town.coordinator.closed(user.connection, town.now))
    town.run()
    user.got.clear()
    user.connect()
    assert not user.of(messages.Final)
    user.send(messages.Ask(99, messages.Raw(asked.raw)))
    assert user.last(messages.Done).name == asked.name
    assert [final.outcome for final in user.of(messages.Final)] == ["final", "served"]
    assert user.last(messages.Output).order == asked.name
