"""Merges, SentencePiece and Unigram against what they are by definition, and what GGUF's keys say of them."""

import itertools
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inference.tokens.bpe import BYTES, LETTERS
from inference.tokens.merging import merge
from inference.tokens.text import Text

RANKS = st.dictionaries(st.text("abc", min_size=2, max_size=4), st.integers(0, 5))


def slowly_merged(text, ranks):
    """One merge at a time: of the lowest rank, of equal ones the leftmost."""
    parts = list(text)
    while pairs := [(ranks[a + b], i) for i, (a, b) in enumerate(itertools.pairwise(parts)) if a + b in ranks]:
        _, i = min(pairs)
        parts[i : i + 2] = [parts[i] + parts[i + 1]]
    return parts


@given(st.text("abc", max_size=30), RANKS)
def test_merges_are_the_lowest_and_leftmost_one_at_a_time(text, ranks):
    assert merge(text, lambda left, right: ranks.get(left + right)) == slowly_merged(text, ranks)


def test_a_long_word_merges_in_time():
    assert len(merge("ab" * 100_000, lambda left, right: 0 if left + right == "ab" else None)) == 100_000


def test_every_byte_has_a_letter_of_its_own():
    assert len(set(LETTERS.values())) == 256 and all(BYTES[letter] == byte for byte, letter in LETTERS.items())


def fields(kind, tokens, scores=None, **more):
    """Keys of a GGUF file: ``tokens`` maps a text to its type."""
    found = {"model": kind, "tokens": list(tokens), "token_type": list(tokens.values()), **more}
    if scores is not None:
        found["scores"] = scores
    return {f"tokenizer.ggml.{name}": value for name, value in found.items()}


PIECES = {"<unk>": 2, "<s>": 3, "</s>": 3} | {f"<0x{byte:02X}>": 6 for byte in range(256)}
PIECES |= {
    "▁": 1,
    "a": 1,
    "b": 1,
    "<": 1,
    "/": 1,
    "s": 1,
    ">": 1,
    "▁a": 1,
    "ab": 1,
    "▁ab": 1,
    "</": 1,
    "</s": 1,
    "<d>": 4,
}
SCORES = [0.0] * 259 + [-9.0] * 7 + [-1.0, -2.0, -3.0, -4.0, -5.0, 0.0]


def spelled(text, ids):
    return [text.tokenizer.token(token) for token in ids]


def test_sentencepiece_merges_by_score_and_falls_back_to_bytes():
    text = Text(fields("llama", PIECES, SCORES), len(PIECES))
    assert spelled(text, text.encode("ab é")) == ["<s>", "▁ab", "▁", "<0xC3>", "<0xA9>"]
    assert spelled(text, text.encode("bab")) == ["<s>", "▁", "b", "ab"]
    assert spelled(text, text.encode("a<d>a")) == ["<s>", "▁a", "<d>", "▁a"]
    assert text.decode(text.encode("ab é")[1:]) == " ab é"


@pytest.mark.parametrize(
    ("more", "ends"),
    [
        ({}, ([1], [])),
        ({"add_bos_token": False, "add_eos_token": True}, ([], [2])),
        ({"bos_token_id": 2, "eos_token_id": 1, "add_eos_token": True}, ([2], [1])),
    ],
)
def test_texts_begin_and_end_as_the_file_says_once(more, ends):
    text = Text(fields("llama", PIECES, SCORES, **more), len(PIECES))
    begin, finish = ends
    ids = text.encode("ab")
    assert ids == [*begin, *text.tokenizer.encode("ab", ""), *finish]
    assert text.encode(text.decode(ids[: len(begin)]) + "ab")[: len(begin) + 1].count(1) <= 1


def test_letters_that_spell_a_control_token_do_not_merge_into_it():
    text = Text(fields("llama", PIECES, SCORES) | {"tokenizer.chat_template": "{{ messages[0].content }}"}, len(PIECES))
    assert spelled(text, text.encode(text.chat("</s>"))) == ["<s>", "▁", "</s", ">"]


def test_without_a_prefix_no_space_comes_first():
    text = Text(fields("llama", PIECES, SCORES, add_space_prefix=False), len(PIECES))
    assert spelled(text, text.encode("ab")) == ["<s>", "ab"]


WORDS = {"<pad>": 3, "</s>": 3, "<unk>": 2, "a": 1, "b": 1, "ab": 1, "ba": 1, "aba": 1, "▁": 1, "bb": 4}
LIKELY = [0.0, 0.0, 0.0, -2.0, -3.0, -4.5, -4.0, -6.5, -1.0, 0.0]


@given(st.text("abc ", max_size=9))
def test_unigram_is_the_likeliest_of_all_ways(text):
    model = Text(fields("t5", WORDS, LIKELY), len(WORDS))
    ids = model.encode(text)
    assert ids[-1] == 1
    score = dict(zip(WORDS, LIKELY, strict=True)) | {"c": min(LIKELY) - 10}
    letters = text.replace(" ", "▁")
    best = max(
        (
            sum(score.get(letters[a:b], -math.inf) for a, b in itertools.pairwise((0, *cuts, len(letters))))
            for count in range(max(len(letters), 1))
            for cuts in itertools.combinations(range(1, len(letters)), count)
        ),
        default=0.0,
    )
    unknown = letters.count("c") * score["c"]
    found = sum(LIKELY[token] for token in ids[:-1] if token != 2) + unknown
    assert found == pytest.approx(best if letters else 0.0)


def test_unigram_brings_letters_to_their_normal_form():
    """A map of one letter, as SentencePiece packs it: A becomes a."""
    units = [0] * 256
    units[0] = 1 << 10  # the root's children begin at 1
    units[1 ^ 65] = 65 | 1 << 8 | 2 << 10
    units[1 ^ 65 ^ 2] = 1 << 31
    packed = [*(4 * len(units)).to_bytes(4, "little"), *b"".join(unit.to_bytes(4, "little") for unit in units), *b"a\0"]
    model = Text(fields("t5", WORDS, LIKELY, precompiled_charsmap=packed), len(WORDS))
    assert model.encode("AB") == [3, 2, 1] and model.encode("A") == model.encode("a")


@pytest.mark.parametrize(
    ("keys", "said"),
    [
        (fields("bert", WORDS), "gpt2, gemma4, llama, t5 are supported"),
        (fields("llama", PIECES, SCORES[:-1]), "271 scores for 272 tokens"),
        (fields("t5", WORDS, LIKELY, precompiled_charsmap=[1]), "charsmap is damaged"),
        (fields("t5", WORDS, LIKELY, precompiled_charsmap=[4, 0, 0, 0, 0, 255, 255, 255, 0]), "charsmap is damaged"),
        (fields("gpt2", {"a": 1}, merges=[]) | {"tokenizer.ggml.tokens": ["a", "a"]}, "tokens 0 and 1 are both 'a'"),
        (fields("gpt2", {"a": 1}, merges=[]), "no token for 'Ġ'"),
        (fields("gpt2", {"a\ud800": 3}, merges=[]), "tokenizer.ggml.tokens is not UTF-8"),
        (fields("llama", {"a": 1}, [0.0], add_bos_token=False), "no token for <0xE2>"),
        (fields("gpt2", {"a": 1}, merges=[], add_bos_token=True, bos_token_id=7), "adds the token 7"),
    ],
)
def test_tokenizers_that_cannot_be_or_lack_a_letter_are_refused(refusal, keys, said):
    assert said in refusal(lambda: Text(keys, 300).encode(" A"))


LETTERED = {"a": 1, "b": 1, "c": 1, "Ġ": 1, "abc": 1, "<s>": 3, "<d>": 4, "<": 1, "d": 1, ">": 1, "s": 1}


@pytest.mark.parametrize(
    ("name", "words"),
    [("llama-bpe", "<s> abc Ġ a"), ("tekken", "<s> abc Ġ a"), ("qwen2", "a b c Ġ a")],
)
def test_a_name_says_whether_words_come_whole_and_texts_begin(name, words):
    text = Text(fields("gpt2", LETTERED, merges=[], pre=name, bos_token_id=5), 11)
    assert spelled(text, text.encode("abc a")) == words.split()


@pytest.mark.parametrize("pre", [{}, {"pre": "default"}])
def test_without_a_name_punctuation_stands_alone_and_digits_by_three(pre):
    tokens = dict.fromkeys("1234it's", 1) | {"12": 1, "123": 1, "1234": 1, "'s": 1}
    merges = ["1 2", "12 3", "123 4", "' s"]
    text = Text(fields("gpt2", tokens, merges=merges, **pre), len(tokens))
    assert spelled(text, text.encode("1234it's")) == ["123", "4", "i", "t", "'", "s"]


def test_user_defined_tokens_are_found_in_letters_too_and_control_tokens_are_not():
    keys = fields("gpt2", LETTERED, merges=[], pre="gpt-2") | {"tokenizer.chat_template": "{{ messages[0].content }}"}
    text = Text(keys, 11)
    assert spelled(text, text.encode("<d><s>")) == ["<d>", "<s>"]
    assert spelled(text, text.encode(text.chat("<d><s>"))) == ["<d>", "<", "s", ">"]


def test_the_longest_special_token_is_found_first_wherever_it_stands():
    tokens = LETTERED | {"ab": 4, "bc<d>": 4}
    text = Text(fields("gpt2", tokens, merges=[], pre="gpt-2"), len(tokens))
    assert spelled(text, text.encode("abc<d>")) == ["a", "bc<d>"]
