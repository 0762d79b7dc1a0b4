"""Tokens after which a text is over: a file's keys, known names, and what its template ends an answer by."""

import json
from collections.abc import Mapping

from inference.errors import InputError
from inference.tokens import template
from inference.tokens.fields import Fields, listed
from inference.tokens.huggingface import configuration, token_text
from inference.tokens.vocabulary import CONTROL, ENDS, NORMAL

KEYS = tuple(f"tokenizer.ggml.{name}_token_id" for name in ("eos", "eot", "eom", "fim_pad", "fim_rep", "fim_sep"))
NO_END = (
    (("<|return|>", "<|call|>"), "<|end|>"),
    (("<|calls|>", "<|flush|>"), "<|end|>"),
    (("<|tool_response>",), "</s>"),
)
"""Where a vocabulary has all of the first, the second ends a part of an answer, not the answer."""
ANSWER = "An answer."


def ends(fields: Fields) -> tuple[int, ...]:
    """What a file says of the ends of its texts, each token once.

    Raises:
        InputError: keys of another type. A template that cannot be filled in says nothing here.
    """
    numbers, control = _tokens(fields)
    found = [fields[key] for key in KEYS if key in fields]
    found += [number for text, number in numbers.items() if text in ENDS]
    if (token := token_text(configuration(fields).get("eos_token"))) in numbers:
        found.append(numbers[token])
    found += [control[text] for text in [_end_of_turn(fields, control)] if text]
    for signs, text in NO_END:
        if all(sign in numbers for sign in signs):
            found = [token for token in found if token != numbers.get(text)]
    return tuple(dict.fromkeys(found))


def _tokens(fields: Fields) -> tuple[dict[str, int], dict[str, int]]:
    """Tokens by text that may be ends, and the control tokens among them."""
    if "tokenizer.json" in fields:
        try:
            added = json.loads(str(fields["tokenizer.json"])).get("added_tokens", [])
            return (
                {each["content"]: int(each["id"]) for each in added},
                {each["content"]: int(each["id"]) for each in added if each["special"]},
            )
        except (AttributeError, KeyError, RecursionError, TypeError, ValueError):
            return {}, {}  # a damaged one is refused where text is read by it
    if "tokenizer.ggml.tokens" not in fields:
        return {}, {}
    texts = listed(fields, "tokenizer.ggml.tokens", str)
    types = listed(fields, "tokenizer.ggml.token_type", int, [])
    types += [NORMAL] * (len(texts) - len(types))
    numbers = {text: token for token, text in enumerate(texts)}
    return numbers, {text: token for text, token in numbers.items() if types[token] == CONTROL}


def _end_of_turn(fields: Fields, control: Mapping[str, int]) -> str:
    """The control token that the template writes after an answer; "" where it writes none there."""
    written = template.find(fields)
    if written is None or not control:
        return ""
    messages = [{"role": "user", "content": "A question."}, {"role": "assistant", "content": ANSWER}]
    try:
        text = template.render(
            written, template.special(fields) | {"messages": messages, "tools": None, "documents": None}
        )
    except InputError:
        return ""
    after = text.rpartition(ANSWER)[2].lstrip() if ANSWER in text else ""
    return max((token for token in control if token and after.startswith(token)), key=len, default="")
