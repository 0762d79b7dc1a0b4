"""Help texts: the paragraphs of docstrings, at the width of the terminal that shows them."""

import inspect
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from typer import Typer


def flowing(app: "Typer") -> "Typer":
    """The commands, in whose help the lines of every paragraph are one; typer joins those of the first alone."""
    for command in app.registered_commands:
        text = command.help or inspect.getdoc(command.callback) or ""
        command.help = "\n\n".join(" ".join(paragraph.split("\n")) for paragraph in text.split("\n\n"))
    for group in app.registered_groups:
        if group.typer_instance is not None:
            flowing(group.typer_instance)
    return app
