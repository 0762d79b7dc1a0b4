"""A user without input or output: it orders, sees what comes, checks what it can, and claims where that is wrong."""

import numpy as np
import pytest

from experiments.marketplace.customer import Check, Customer
from experiments.marketplace.messages import Final, Output, Quote, Shown, Strike, Token, encode, from_peer
from verification.adversaries.cast import PRICE, PROVIDER, USER, key_of
from verification.adversaries.scene import wrong
from verification.market.records import Audit, Claim, Order, Result
from verification.result import sign_result


@pytest.fixture
def user(by_hand):
    user = Customer(key_of(f"owner {USER}"))
    user.receive(by_hand.challenge(), 0.0)
    user.receive(by_hand.welcome(registered=True), 0.0)
    return user


def requests(scene):
    digests, task = scene.computation.digests, scene.task
    return [
        {
            "model": digests["model"],
            "input": digests["input"],
            "limit": task.limit,
            "temperature": task.millionths,
            "seed": str(task.seed),
        }
    ]


def placed(scene, by_hand, user):
    name, [frame] = user.order(requests(scene), {}, bid=2 * PRICE, patience=60)
    user.receive(by_hand.answer(frame), 0.0)
    return name


def shown(scene, lease, trace):
    header = scene.find(Result, lease).header
    return Shown(lease, trace.tree.root.hex(), header, 0, requests(scene), scene.computation.digests["graph"], "1000")


def test_a_new_user_registers(by_hand):
    user = Customer(key_of("owner new"))
    [hello] = user.receive(by_hand.challenge(), 0.0)
    assert by_hand.proven(hello, user.name)
    [register] = user.receive(by_hand.welcome(), 0.0)
    user.receive(by_hand.answer(register), 0.0)
    assert not user.session.refused


def test_an_order_waits_or_says_why_not_and_can_be_withdrawn(scene, by_hand, user):
    name = placed(scene, by_hand, user)
    assert user.orders[name].state == "waiting" and scene.find(Order, name).bid == 2 * PRICE
    [cancel] = user.cancel(name)
    user.receive(by_hand.answer(cancel), 0.0)
    assert scene.names("order") == []
    dear, [frame] = user.order(requests(scene), {}, bid=10**12, patience=60)
    user.receive(by_hand.answer(frame), 0.0)
    assert (user.orders[dear].state, user.orders[dear].reason) == ("refused", "beyond-free")


def test_two_equal_orders_are_two(scene, by_hand, user):
    assert placed(scene, by_hand, user) != placed(scene, by_hand, user)


def test_an_estimate_comes_under_its_number(user, scene):
    number, [frame] = user.estimate(requests(scene), {}, bid=5)
    assert from_peer(frame).id == number
    user.receive(encode(Quote(number, None, 12, 3, "outbid", "700")), 0.0)
    assert (user.quotes[number].reason, user.quotes[number].bid) == ("outbid", "700")


def test_tokens_are_struck_or_become_final(scene, by_hand, user):
    name = placed(scene, by_hand, user)
    order = user.orders[name]
    user.receive(encode(Token(name, "", 0, [1])), 0.0)
    user.receive(encode(Token(name, "", 0, [2])), 0.0)
    assert order.tokens == {0: [1, 2]}
    user.receive(encode(Strike(name, "a", [0], "fallen")), 0.0)
    assert (order.tokens, order.reason) == ({}, "fallen")
    _, output = sign_result(key_of("any"), scene.market, "b" * 64, scene.right)
    user.receive(encode(Output(name, "b", [0], output)), 0.0)
    assert order.tokens == {0: scene.right.tokens} and not order.final and not order.over
    user.receive(encode(Final(name, "b", [0], "final", "1220")), 0.0)
    user.receive(encode(Final(name, "", [], "served", "1220")), 0.0)
    assert (order.final, order.paid, order.over) == ({0: scene.right.tokens}, 1220, True)


def test_a_shown_result_that_is_wrong_is_claimed_against_and_a_right_one_is_not(scene, by_hand, user):
    scene.parties[PROVIDER].trace = wrong(scene)
    lease = scene.lend(drawn=False)
    scene.deliver(lease)
    scene.publish(lease)
    [check] = user.receive(encode(shown(scene, lease, wrong(scene))), 0.0)
    assert isinstance(check, Check)
    assert not user.checked(check.shown, wrong(scene))
    [claim] = user.checked(check.shown, scene.right)
    user.receive(by_hand.answer(claim), 0.0)
    [name] = scene.names("claim")
    found = scene.find(Claim, name)
    assert (found.lease, found.root, found.bond) == (lease, scene.right.tree.root.hex(), 4000)
    assert user.traces[lease] is scene.right


def test_a_challenge_buys_an_audit(scene, by_hand, user):
    lease = scene.serve(drawn=False)
    scene.publish(lease)
    [challenge] = user.challenge(lease)
    user.receive(by_hand.answer(challenge), 0.0)
    assert scene.find(Audit, lease).buyer == user.name


def test_what_is_open_is_posted_again_on_a_new_connection_and_paid_once(scene, by_hand, user):
    name = placed(scene, by_hand, user)
    lost, _ = user.order(requests(scene), {}, bid=PRICE, patience=60)
    user.reopened()
    [_hello] = user.receive(by_hand.challenge(), 0.0)
    again = user.receive(by_hand.welcome(registered=True), 0.0)
    assert len(again) == 2
    for each in again:
        user.receive(by_hand.answer(each), 0.0)
    assert set(scene.names("order")) == {name, lost} and user.orders[lost].state == "waiting"
    for _ in range(2):
        user.receive(encode(Final(name, "lease", [0], "final", "12")), 0.0)
    user.receive(encode(Final(name, "", [0], "served", "12")), 0.0)
    assert user.orders[name].paid == 12 and user.orders[name].state == "served"
    user.reopened()
    user.receive(by_hand.challenge(), 0.0)
    assert len(user.receive(by_hand.welcome(registered=True), 0.0)) == 1


def test_what_is_asked_while_nobody_listens_is_asked_after_the_welcome(scene, by_hand, user):
    answered, [_] = user.estimate(requests(scene), {}, bid=5)
    user.receive(encode(Quote(answered, "4", 12, 3)), 0.0)
    first, [_] = user.estimate(requests(scene), {}, bid=6)
    user.reopened()
    second, none = user.estimate(requests(scene), {}, bid=7)
    name, nor = user.order(requests(scene), {}, bid=PRICE, patience=60)
    assert not none and not nor
    user.receive(by_hand.challenge(), 0.0)
    *estimates, order = user.receive(by_hand.welcome(registered=True), 0.0)
    assert [from_peer(frame).id for frame in estimates] == [first, second]
    user.receive(by_hand.answer(order), 0.0)
    assert user.orders[name].state == "waiting"


def test_equal_orders_that_are_posted_while_nobody_listens_are_two(scene, user):
    user.reopened()
    names = {user.order(requests(scene), {}, bid=PRICE, patience=60)[0] for _ in range(2)}
    assert len(names) == 2


def test_what_a_device_says_after_its_result_is_not_taken_for_it(scene, by_hand, user):
    name = placed(scene, by_hand, user)
    _, output = sign_result(key_of("any"), scene.market, "b" * 64, scene.right)
    user.receive(encode(Output(name, "b", [0], output)), 0.0)
    user.receive(encode(Token(name, "b", 0, [9, 9])), 0.0)
    user.receive(encode(Final(name, "b", [0], "final", "1220")), 0.0)
    assert user.orders[name].final == {0: scene.right.tokens}


def test_the_requests_of_a_bundle_have_each_their_own_tokens_whatever_was_streamed(scene, by_hand, user):
    name = placed(scene, by_hand, user)
    user.receive(encode(Token(name, "b", 0, [7])), 0.0)
    output = np.array([[1, 2, 3], [4, -1, -1]], "<i4").tobytes()
    user.receive(encode(Output(name, "b", [0, 2], output)), 0.0)
    user.receive(encode(Final(name, "b", [0, 2], "final", "1220")), 0.0)
    assert user.orders[name].final == {0: [1, 2, 3], 2: [4]}
