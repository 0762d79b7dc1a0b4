"""Words of texts: every name's, as llama.cpp splits (test_against_llama_cpp), here held fast on one text."""

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inference.tokens.pre_tokenizers import BEGUN, NAMES, SPACES, SPLITS, WHOLE_WORDS, pre_tokenizer

TEXT = (
    "It's we'LL  don't HTTPServer naïveÉtat ПРИВЕТ мир e\u0301a 中文字テスト한국어,。 1234567 a12345b ½²٣٤٥ "
    "$5.00+=~~~ `x|y`\n\n\t\tdef f(x):\r\n  # 3\u3000é\u00a0y 😀😀 IMGIMGABZ...!!!\n \n  end  "
)
WORDS = json.loads((Path(__file__).parent / "words.json").read_text())


@pytest.mark.parametrize("name", SPLITS)
def test_the_words_of_a_text_are_those_of_its_name(name):
    assert pre_tokenizer(name).split(TEXT) == WORDS[name]


@given(st.sampled_from(sorted(NAMES)), st.text(st.characters(codec="utf-8") | st.sampled_from("  \n\r'sStT1234٣É中.")))
def test_words_together_are_the_text(name, text):
    words = pre_tokenizer(name).split(text)
    assert "".join(words) == text and all(words)


def test_every_name_has_expressions_and_none_else_has_traits():
    assert set(NAMES.values()) == set(SPLITS)
    assert not (BEGUN | SPACES | WHOLE_WORDS) - NAMES.keys()
    assert pre_tokenizer("llama-bpe").whole_words and not pre_tokenizer("glm4").whole_words


def test_an_unknown_name_is_refused(refusal):
    assert "splits by 'gpt-9', which is unknown here" in refusal(pre_tokenizer, "gpt-9")
