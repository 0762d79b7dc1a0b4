"""Tasks: one spelling each, whose digest is its name."""

import json

import pytest

from verification.errors import InputError
from verification.task import Task, read_task

TASK = Task("tiny", (72, 105), 2, 800_000, 2**64 - 1)


def test_a_task_is_read_as_it_was_written():
    plain = json.loads(json.dumps(TASK.plain()))
    assert read_task(plain) == TASK and read_task(plain).name == TASK.name
    assert TASK.temperature == 0.8
    assert plain["seed"] == "18446744073709551615"


def test_a_task_says_among_which_tokens_is_drawn_where_not_among_all():
    assert TASK.plain().keys() == {"model", "prompt", "limit", "millionths", "seed"}
    for among in ({"top_k": 5}, {"top_p": 900_000}, {"top_k": 1, "top_p": 1}):
        task = read_task(TASK.plain() | among)
        assert task.plain() == TASK.plain() | among and task.name != TASK.name


def test_a_task_says_how_a_prompt_is_drawn_where_it_is():
    for drawn in ({"steps": 30, "size": 1024, "guidance": 0}, {"negative": [5, 6]}):
        task = read_task(TASK.plain() | drawn)
        assert task.plain() == TASK.plain() | drawn and task.name != TASK.name and hash(task)


def test_prompts_of_a_million_tokens_are_tasks():
    long = TASK.plain() | {"prompt": [0] * 2**20}
    assert len(read_task(long).prompt) == 2**20


@pytest.mark.parametrize(
    "changes",
    [
        {"model": ""},
        {"model": 5},
        {"prompt": "Hi"},
        {"prompt": [-1]},
        {"prompt": [True]},
        {"prompt": [2**31]},
        {"prompt": [0] * (2**20 + 1)},
        {"limit": 0},
        {"limit": 1.0},
        {"millionths": -1},
        {"millionths": 0.5},
        {"seed": 5},
        {"seed": "-1"},
        {"seed": str(2**64)},
        {"seed": "01"},
        {"more": 1},
        {"top_k": 0},
        {"top_k": None},
        {"top_p": 1_000_000},
        {"top_p": 0.9},
        {"steps": 0},
        {"steps": 1001},
        {"guidance": 1.5},
        {"guidance": 100_000_001},
        {"size": 2**16 + 1},
        {"negative": None},
        {"negative": [-1]},
    ],
)
def test_other_spellings_are_no_task(changes):
    with pytest.raises(InputError, match="task"):
        read_task(TASK.plain() | changes)
    for content in (None, [], {}, "x"):
        with pytest.raises(InputError, match="task"):
            read_task(content)
