"""CLIP's tokenizer against the package transformers: on a small vocabulary and, if it is installed, on CLIP's own."""

import importlib.util
import json

import clip_with_transformers
import pytest
from clip_with_transformers import FILE, clips_own, short, texts, vocabulary

from inference.tokens.clip import ClipTokenizer

KEPT = json.loads(FILE.read_text())
FILLINGS = ("<|endoftext|>", "!")


def tokens(merges, filling):
    tokenizer = ClipTokenizer(vocabulary(merges), merges, filling=filling)
    return [short(tokenizer.padded(text, 77)) for text in texts()]


@pytest.mark.parametrize("filling", FILLINGS)
def test_texts_have_the_tokens_of_transformers(filling):
    assert tokens(KEPT["merges"], filling) == KEPT[filling]


@pytest.mark.slow
@pytest.mark.parametrize("filling", FILLINGS)
def test_the_tokens_are_what_transformers_gives(filling):
    pytest.importorskip("transformers")
    assert clip_with_transformers.ids(KEPT["merges"], filling) == KEPT[filling]


@pytest.mark.slow
@pytest.mark.skipif(importlib.util.find_spec("open_clip") is None, reason="open_clip_torch is not installed")
def test_clips_own_merges_give_the_tokens_of_transformers():
    pytest.importorskip("transformers")
    assert tokens(clips_own(), "!") == clip_with_transformers.ids(clips_own(), "!")


@pytest.mark.parametrize(
    "merges, options, said",
    [
        (["a b c"], {}, "merge 'a b c' is not of two tokens"),
        (["a  b"], {}, "is not of two tokens"),
        ([], {"filling": "<pad>"}, "no token '<pad>'"),
    ],
)
def test_what_is_no_tokenizer_is_refused(merges, options, said, refusal):
    assert said in refusal(ClipTokenizer, vocabulary([]), merges, **options)


def test_a_prompt_that_is_no_utf_8_is_refused(refusal):
    assert "not UTF-8" in refusal(ClipTokenizer(vocabulary([]), []).encode, "a\ud800")
