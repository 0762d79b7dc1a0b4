"""``model-check`` on the command line."""

import json

import pytest

from verification.commands import model_check as command
from verification.errors import InputError
from verification.model_check.explore import Explored, ViolationError


def test_it_says_what_was_explored(capsys, monkeypatch):
    monkeypatch.setattr(command, "explore", lambda *arguments: Explored(states=12_345))
    assert command.model_check(1, "deputy", False)
    heading, row = capsys.readouterr().out.splitlines()
    assert heading.split() == ["roles", "nodes", *command.COLUMNS]
    assert row.split() == ["deputy", "1", "0", "12,345", "0", "0", "0"]


def test_it_fails_where_something_does_not_hold(capsys, monkeypatch):
    def explore(*arguments):
        raise ViolationError("money is lost: a; b")

    monkeypatch.setattr(command, "explore", explore)
    assert not command.model_check(2, "deputy", True)
    assert json.loads(capsys.readouterr().out) == [{"roles": "deputy", "nodes": 2, "violated": "money is lost: a; b"}]


@pytest.mark.parametrize(
    ("nodes", "roles", "said"),
    [(0, None, "--nodes 0"), (5, None, "--nodes 5"), (1, "x", "--roles 'x' is not allowed; 'two challengers', 'verif")],
)
def test_what_it_refuses(nodes, roles, said):
    with pytest.raises(InputError, match=said):
        command.model_check(nodes, roles, False)
