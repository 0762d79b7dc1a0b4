"""Renders one chat template, as the program of a process of its own: a file's template is a program of a stranger.

Standard input: JSON {template, variables}. Standard output: JSON {text} or {error}. It is what transformers renders
with: Jinja's immutable sandbox, loop controls, the tag ``generation``, ``raise_exception``, ``strftime_now`` and a
``tojson`` that leaves < > & ' alone.
"""

import json
import resource
import sys
from datetime import datetime
from typing import Any

from jinja2 import nodes
from jinja2.exceptions import TemplateError
from jinja2.ext import Extension
from jinja2.parser import Parser
from jinja2.sandbox import ImmutableSandboxedEnvironment

SECONDS, MEMORY, FILES, LONGEST = 2, 2**29, 0, 2**24
"""What a template may take: processor time, bytes, files it may write, letters of its text."""


class Generation(Extension):
    """{% generation %} ... {% endgeneration %}: marks what a model is trained on; its content is written."""

    tags = {"generation"}  # noqa: RUF012 as Jinja declares it

    def parse(self, parser: Parser) -> list[nodes.Node]:
        """The nodes inside."""
        next(parser.stream)
        return parser.parse_statements(("name:endgeneration",), drop_needle=True)


def _refuse(message: str) -> None:
    raise TemplateError(message)


def _json(value: Any, indent: int | None = None, separators: Any = None, sort_keys: bool = False, **_: Any) -> str:
    return json.dumps(value, ensure_ascii=False, indent=indent, separators=separators, sort_keys=sort_keys)


def render(template: str, variables: dict[str, Any]) -> str:
    """A template's text."""
    environment = ImmutableSandboxedEnvironment(
        trim_blocks=True, lstrip_blocks=True, extensions=[Generation, "jinja2.ext.loopcontrols"]
    )
    environment.filters["tojson"] = _json
    environment.globals["raise_exception"] = _refuse
    environment.globals["strftime_now"] = lambda form: datetime.now().strftime(form)
    return environment.from_string(template).render(**variables)


def main() -> None:
    """Render what standard input asks for, within limits."""
    resource.setrlimit(resource.RLIMIT_CPU, (SECONDS, SECONDS))
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    resource.setrlimit(resource.RLIMIT_FSIZE, (FILES, FILES))
    try:
        text = render(**json.load(sys.stdin))
        answer = {"text": text} if len(text) <= LONGEST else {"error": f"its text has more than {LONGEST} letters"}
    except MemoryError:
        answer = {"error": f"it takes more than {MEMORY >> 20} MiB"}
    except Exception as error:  # noqa: BLE001 a stranger's program fails in every way
        answer = {"error": str(error) or type(error).__name__}
    sys.stdout.write(json.dumps(answer))


if __name__ == "__main__":
    main()
