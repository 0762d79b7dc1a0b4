"""What `--help` says of every command: an example, and no markup that a terminal shows as it is."""

import pytest
import typer
from typer.main import get_command

from auction.commands.cli import app as auction
from distribute_lab.help import flowing
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


def test_paragraphs_flow_at_any_width():
    """A line within a paragraph ends where the terminal does, of commands' commands too."""
    inner, outer = typer.Typer(), typer.Typer()

    @inner.command("deep")
    @outer.command("flat")
    def command() -> None:
        """What it does,
        in two lines.

        A second paragraph, whose first line is longer than a terminal is wide, and whose end stands
        on another.

        Example: python -m x
        --y
        """

    outer.add_typer(inner, name="inner")
    flat = get_command(flowing(outer)).commands
    for found in (flat["flat"], flat["inner"].commands["deep"]):
        _, second, example = found.help.split("\n\n")
        assert second.endswith("whose end stands on another.") and example == "Example: python -m x --y"
