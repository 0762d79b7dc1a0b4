"""What the package transformers makes of texts with a small vocabulary of CLIP's kind: writes clip.json.

CLIP's own merges, where they are wanted, are those of the package open_clip_torch (MIT).
"""

import gzip
import json
from importlib.util import find_spec
from pathlib import Path

import numpy as np

from inference.tokens.bpe import LETTERS

FILE = Path(__file__).with_name("clip.json")
WRITTEN = [
    "", "a photo of a cat", "  two  spaces\t\ttabs\nlines ", "It's they'RE I'M", "ΣΊΣΥΦΟΣ final ς", "İstanbul ẞ",
    "naïve café e\u0301", "\x1c\x1d\x85\u3000x\u200b\ufeff", "<|startoftext|>!!", "!!<|endoftext|> a",
    "<|STARTOFTEXT|>!! b", "4k, 8k 123½²", "日本語のテスト", "🐎🌕 moon", "\x00a\x7f", "a_b-c...d", "ﬁne",
    "Ω\u2126 K\u212a", "\ud7a3\u1100\u1161", "don't we'll she'd 'tis", " <|endoftext|> x <|endoftext|>", "wow!! now!",
    "a photograph of an astronaut riding a horse on the moon, " * 9,
]  # fmt: skip
ALPHABET = [*"abcxyzABC   '\u0301,.!?0129éßΣ中\t\n-_<|>", "the", "ing", "station"]


def texts(count: int = 200) -> list[str]:
    """Those above, and others drawn."""
    generator = np.random.default_rng(3)
    drawn = ["".join(generator.choice(ALPHABET, generator.integers(1, 30))) for _ in range(count - len(WRITTEN))]
    return WRITTEN + drawn


def vocabulary(merges: list[str]) -> dict[str, int]:
    """As CLIP numbers them: letters, letters at a word's end, merges, two special tokens."""
    letters = [*LETTERS.values()]
    merged = [words.replace(" ", "") for words in merges]
    every = [*letters, *(f"{letter}</w>" for letter in letters), *merged, "<|startoftext|>", "<|endoftext|>"]
    return {text: number for number, text in enumerate(every)}


def clips_own() -> list[str]:
    """The 48,894 merges of CLIP."""
    folder = Path(find_spec("open_clip").origin).parent
    with gzip.open(folder / "bpe_simple_vocab_16e6.txt.gz", "rt", encoding="utf-8") as file:
        return file.read().split("\n")[1 : 49152 - 256 - 2 + 1]


def ids(merges: list[str], filling: str) -> list[list[int]]:
    """Of each text 77 tokens, those that fill it up but for the first left out."""
    from transformers import CLIPTokenizer

    pairs = [tuple(words.split(" ")) for words in merges]
    tokenizer = CLIPTokenizer(vocab=vocabulary(merges), merges=pairs, pad_token=filling)
    return [
        short(tokenizer(text, padding="max_length", max_length=77, truncation=True)["input_ids"]) for text in texts()
    ]


def short(tokens: list[int]) -> list[int]:
    """77 tokens without repetitions of the last."""
    assert len(tokens) == 77
    last = next((at for at in range(76, 0, -1) if tokens[at] != tokens[76]), 0)
    return tokens[: last + 2]


if __name__ == "__main__":
    small = json.loads(FILE.read_text())["merges"]
    made = {"merges": small, **{filling: ids(small, filling) for filling in ("<|endoftext|>", "!")}}
    FILE.write_text(json.dumps(made, ensure_ascii=False, separators=(",", ":")) + "\n")
