"""What `--help` says of every command: an example, and no markup that a terminal shows as it is."""

import pytest
from typer.main import get_command

from auction.commands.cli import app as auction
from experiments.cli import app as experiments
from inference.commands.cli import app as inference
from verification.cli import application

COMMANDS = {
    f"{package} {name}": command
    for package, app in {
        "auction": auction,
        "inference": inference,
        "verification": application(None),
        "experiments": experiments,
    }.items()
    for name, command in get_command(app).commands.items()
}


@pytest.mark.parametrize("name", COMMANDS)
def test_help_is_plain_and_has_an_example(name):
    command = COMMANDS[name]
    texts = [command.help, *(parameter.help or "" for parameter in command.params)]
    assert not [text for text in texts if "``" in text or ":class:" in text]
    example = command.help.partition("Example: ")[2]
    assert f"python -m {name}" in example
