"""Chat templates: a conversation as the text that a model was taught it in."""

import json
import re
import subprocess
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from inference.errors import InputError
from inference.tokens.fields import Fields, listed, typed
from inference.tokens.huggingface import configuration, token_text

NAMED = {"bos_token": "bos", "eos_token": "eos", "unk_token": "unknown", "pad_token": "padding"}
"""Special tokens as templates call them, and as GGUF's keys do."""
PATIENCE = 60
"""Seconds to wait for a template whose processor time is bounded: other work may be in its way."""
NAMELESS = "".join(map(chr, range(0xFDD0, 0xFDF0)))
"""Code points that no text has: Unicode keeps them for what programs do inside."""


class Rendered(str):
    """A template's text. The same with a mark before each letter of what messages spell like control tokens."""

    __slots__ = ("mark", "marked")
    marked: str
    mark: str


def find(fields: Fields) -> str | None:
    """The chat template of a file or a directory, where there is one.

    Raises:
        InputError: it is no text.
    """
    template: str | None = typed(fields, "tokenizer.chat_template", str, None)
    if template is None:
        template = typed(fields, "chat_template.jinja", str, None)
    if template is not None or "tokenizer_config.json" not in fields:
        return template
    said = configuration(fields).get("chat_template")
    if isinstance(said, list):  # several by name
        named = {str(each.get("name")): each.get("template") for each in said if isinstance(each, dict)}
        said = named.get("default", next(iter(named.values()), None))
    if said is not None and not isinstance(said, str):
        raise InputError("tokenizer_config.json: its chat_template is no text")
    return said


def special(fields: Fields) -> dict[str, str]:
    """Texts of the special tokens that have a name, as templates call them."""
    config = configuration(fields)
    found = {name: text for name in NAMED if (text := token_text(config.get(name)))}
    if "tokenizer.ggml.tokens" in fields:
        texts = listed(fields, "tokenizer.ggml.tokens", str)
        ids = {name: typed(fields, f"tokenizer.ggml.{key}_token_id", int, -1) for name, key in NAMED.items()}
        found |= {name: texts[token] for name, token in ids.items() if 0 <= token < len(texts)}
    return found


def conversation(
    template: str | None, messages: Sequence[dict[str, str]], control: Iterable[str], named: dict[str, str]
) -> Rendered:
    """Messages {role, content} as a template writes them, or as lines "role: content", ready to be answered.

    ``control``: texts of control tokens; where a message spells one, its letters are marked. ``named``: see
    ``special``.

    Raises:
        InputError: the template cannot be filled in, or takes too long or too much memory.
    """
    mark = unused("".join(message["content"] for message in messages) + (template or ""))
    marked = [message | {"content": letters(message["content"], control, mark)} for message in messages]
    if template is None:
        text = "".join(f"{each['role']}: {each['content']}\n" for each in marked) + "assistant: "
    else:
        variables = {"messages": marked, "tools": None, "documents": None, "add_generation_prompt": True}
        text = render(template, named | variables)
    rendered = Rendered(text.replace(mark, ""))
    rendered.marked, rendered.mark = text, mark
    return rendered


def unused(text: str) -> str:
    """A code point to mark letters by, which a text has not.

    Raises:
        InputError: it has all that Unicode keeps free.
    """
    mark = next((letter for letter in NAMELESS if letter not in text), None)
    if mark is None:
        raise InputError("the messages hold every code point that Unicode keeps free")
    return mark


def letters(text: str, control: Iterable[str], mark: str) -> str:
    """A text with a mark before each letter of what it spells like control tokens."""
    spelled = [re.escape(each) for each in sorted(control, key=len, reverse=True) if each and each in text]
    if not spelled:
        return text
    return re.sub("|".join(spelled), lambda found: "".join(mark + letter for letter in found[0]), text)


def render(template: str, variables: dict[str, Any]) -> str:
    """A template's text, by a process whose time and memory are bounded.

    Raises:
        InputError: see ``conversation``.
    """
    program = [sys.executable, "-I", str(Path(__file__).with_name("render.py"))]
    asked = json.dumps({"template": template, "variables": variables})
    try:
        run = subprocess.run(program, input=asked, capture_output=True, text=True, timeout=PATIENCE, check=False)
        answer = json.loads(run.stdout) if run.returncode == 0 else {"error": "it takes too long or too much memory"}
    except subprocess.TimeoutExpired:
        answer = {"error": "it takes too long"}
    if "error" in answer:
        raise InputError(f"the model's chat template cannot be filled in: {' '.join(answer['error'].split())}")
    return str(answer["text"])
