"""What the package transformers makes of the templates beside this file: writes texts.json, the day left open."""

import json
from datetime import datetime
from pathlib import Path

FOLDER = Path(__file__).parent / "templates"
NAMED = {"bos_token": "<s>", "eos_token": "</s>", "unk_token": "<unk>", "pad_token": "<pad>"}
DAYS = ("%d %b %Y", "%Y-%m-%d", "%B %d, %Y")
CONVERSATIONS = [
    [("user", "Hi")],
    [
        ("system", "Be <b>brief</b> & 'kind'."),
        ("user", " Why?\n"),
        ("assistant", "So.\n\n"),
        ("user", '日本 "é" {{ 1 }}'),
    ],
    [("user", "1"), ("assistant", "<think>\nHm.\n</think>\n\nA"), ("user", "2 "), ("assistant", "B"), ("user", "3")],
]


def messages(conversation):
    return [{"role": role, "content": content} for role, content in conversation]


def undated(text):
    """A text with the day of today by the name of its form."""
    for day in DAYS:
        text = text.replace(datetime.now().strftime(day), f"[{day}]")
    return text


def texts():
    """By template, of each conversation the text, or None where transformers refuses."""
    from jinja2 import TemplateError
    from tokenizers import Tokenizer, models
    from transformers import PreTrainedTokenizerFast

    tokenizer = PreTrainedTokenizerFast(tokenizer_object=Tokenizer(models.BPE({"a": 0}, [])), **NAMED)

    def text(template, conversation):
        try:
            return undated(
                tokenizer.apply_chat_template(
                    messages(conversation), chat_template=template, tokenize=False, add_generation_prompt=True
                )
            )
        except TemplateError:
            return None

    return {
        path.stem: [text(path.read_text(), conversation) for conversation in CONVERSATIONS]
        for path in sorted(FOLDER.glob("*.jinja"))
    }


if __name__ == "__main__":
    (FOLDER / "texts.json").write_text(json.dumps(texts(), ensure_ascii=False, indent=1) + "\n")
