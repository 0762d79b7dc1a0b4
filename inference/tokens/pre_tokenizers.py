r"""How a text is split into words before bytes are merged: the pre-tokenizers that GGUF files name.

Each is a list of expressions: every piece that one leaves is split by the next, into what matches and what lies
between. They are the models' own, as llama.cpp reads them, which writes the names into the files and is the measure:
its classes of letters do not tell capitals from small ones beyond ASCII.
"""

from dataclasses import dataclass
from functools import cache
from itertools import pairwise

import regex

from inference.errors import InputError

WIDE_SPACE = str.maketrans(dict.fromkeys("\x85\xa0\u1680\u2028\u2029\u202f\u205f\u3000", "\v"))
WIDE_SPACE |= dict.fromkeys(range(0x2000, 0x200B), "\v")
"""White space beyond ASCII: \\s has it, ranges of letters and signs do not."""

SUFFIX = "'[sS]|'[tT]|'[rR][eE]|'[vV][eE]|'[mM]|'[lL][lL]|'[dD]"
SPACE = r"\s*[\r\n]+|\s+(?!\S)|\s+"
UPPER, LOWER = r"(?:(?=\p{L})[^a-z])", r"(?:(?=\p{L})[^A-Z])"
UPPER_MARKED, LOWER_MARKED = r"(?:(?=[\p{L}\p{M}])[^a-z])", r"(?:(?=[\p{L}\p{M}])[^A-Z])"
HAN = r"[\u4E00-\u9FFF\u3400-\u4DBF\U00020000-\U0002A6DF\U0002A700-\U0002EBEF\uF900-\uFAFF\U0002F800-\U0002FA1F]"
CJK = r"[一-龥ࠀ-一가-퟿]+"
KANA = r"[一-龥぀-ゟ゠-ヿ]+"
ASCII_SIGN = r"""[!"#$%&'()*+,\-./:;<=>?@\[\\\]^_`{|}~]"""

GPT2 = r"'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+"
THREES = "[0-9][0-9][0-9]"
FROM_THE_RIGHT = r"\P{N}*\p{N}{1,3}(?=(?:\p{N}{3})*(?!\p{N}))"
"""Digits by three; what stands before a number goes with its first ones."""


def _tiktoken(digits: str, contractions: str = f"(?:{SUFFIX})|", signs: str = r"[\r\n]*", space: str = SPACE) -> str:
    return rf"{contractions}[^\r\n\p{{L}}\p{{N}}]?\p{{L}}+|{digits}| ?[^\s\p{{L}}\p{{N}}]+{signs}|{space}"


def _cased(upper: str, lower: str, digits: str, contractions: str = f"(?:{SUFFIX})?") -> str:
    prefix = r"[^\r\n\p{L}\p{N}]?"
    words = f"{prefix}{upper}*{lower}+{contractions}|{prefix}{upper}+{lower}*{contractions}"
    return rf"{words}|{digits}| ?[^\s\p{{L}}\p{{N}}]+[\r\n/]*|{SPACE}"


def _deepseek(signs: str, newlines: str) -> str:
    word = rf"{ASCII_SIGN}[A-Za-z]+|[^\r\n\p{{L}}\p{{P}}\p{{S}}]?[\p{{L}}\p{{M}}]+"
    return rf"{word}| ?[\p{{P}}\p{{S}}]+{signs}|{newlines}|\s+(?!\S)|\s+"


DEEPSEEK = (r"\p{N}{1,3}", KANA, _deepseek(r"[\r\n]*", r"\s*[\r\n]+"))
DEEPSEEK_LETTERS = (
    "A-Za-zµÀ-ÖØ-öø-ƺƼ-ƿǄ-ʓʕ-ʯͰ-ͳͶͷͻ-ͽͿΆΈ-ΊΌΎ-ΡΣ-ϵϷ-ҁҊ-ԯԱ-ՖႠ-ჅᎠ-Ᏽᏸ-ᏽᲐ-ᲺᲽ-Ჿᴀ-ᴫᵫ-ᵷᵹ-ᶚḀ-ἕἘ-Ἕἠ-ὅὈ-Ὅὐ-ὗὙὛὝ\u1f5f-\u1f7dᾀ-ᾴᾶ-ᾼ"
    "\u1fbeῂ-ῄῆ-ῌ\u1fd0-\u1fd3\u1fd6-\u1fdbῠ-Ῥῲ-ῴῶ-ῼℂℇℊ-ℓℕℙ-ℝℤ\u2126ℨ\u212a-ℭℯ-ℴℹℼ-ℿⅅ-ⅉⅎↃↄⰀ-ⱻⱾ-ⳤⳫ-ⳮⳲⳳꙀ-ꙭꚀ-ꚛꜢ-ꝯꝱ-ꞇꞋ-ꞎꭰ-ꮿﬀ-ﬆﬓ-ﬗＡ-Ｚａ-ｚ"
    "𐐀-𐑏𐒰-𐓓𐓘-𐓻𐲀-𐲲𐳀-𐳲𑢠-𑣟𞤀-𞥃"
)
BLOOM = r" ?[^(\s|.,!?…。，、।۔،)]+"
SENTENCES = (r"[^\n]+|[\n]+",)

SPLITS: dict[str, tuple[str, ...]] = {
    "default": (r"[\p{P}\$\+<=>\^~\|]+", GPT2, r"\p{N}+", THREES),
    "gpt-2": (GPT2,),
    "starcoder": (r"\p{N}", GPT2),
    "llama3": (_tiktoken(r"\p{N}{1,3}"),),
    "qwen2": (_tiktoken(r"\p{N}"),),
    "qwen35": (
        rf"(?:{SUFFIX})|[^\r\n\p{{L}}\p{{N}}]?[\p{{L}}\p{{M}}]+|\p{{N}}| ?[^\s\p{{L}}\p{{M}}\p{{N}}]+[\r\n]*|{SPACE}",
    ),
    "jais-2": (
        _tiktoken(
            r"\p{N}{1,3}",
            space=r"\s*[\r\n]+|"
            + "|".join(rf"\s{{{n}}}(?!\S)" for n in (512, 256, 128, 64, 32, 16, 8, 4))
            + r"|\s{1,2}(?!\S)|\s",
        ),
    ),
    "deepseek-llm": (
        r"[\r\n]",
        rf"\s?[{DEEPSEEK_LETTERS}]+",
        r"\s?[!-/:-~！-／：-～‘-‟\u3000-。]+",
        r"\s+\Z",
        CJK,
        r"\p{N}+",
    ),
    "deepseek-coder": (r"[\r\n]", r"\s?\p{L}+", r"\s?\p{P}+", CJK, r"\p{N}"),
    "deepseek-v3": DEEPSEEK,
    "spark2_5": (*DEEPSEEK[:2], _deepseek("", r"[\r\n]"), r"\p{N}"),
    "youtu": (
        r"[가-힣ㄱ-ㆎ]+|[！…“”‘’—：；，、-〿︰-﹏]+|[ㄅ-ㄯ]+|" + KANA,
        _cased(r"[\p{L}\p{M}]", r"[\p{L}\p{M}]", r"\p{N}"),
    ),
    "falcon": (r"[\p{P}\$\+<=>\^~\|`]+", GPT2, THREES),
    "bloom": (BLOOM,),
    "viking": (BLOOM, r"\p{N}"),
    "tekken": (_cased(UPPER, LOWER, r"\p{N}", ""),),
    "gpt-4o": (_cased(UPPER, LOWER, r"\p{N}{1,3}"),),
    "granite-embed-multi-97m": (_cased(UPPER_MARKED, LOWER_MARKED, r"\p{N}{1,3}"),),
    "tiny_aya": (
        FROM_THE_RIGHT,
        _cased(r"[\p{L}\p{M}]", r"[\p{L}\p{M}]", r"\p{N}{1,3}"),
    ),
    "chameleon": (
        r"<sentinel:[0-9]+>",
        r"(?:IMGIMG)[A-I]{1,4}Z",
        r"[\t\n]|    |  ",
        r"\p{N}",
        r"[\p{P}!-/:-@\[-`{-~]",
        GPT2,
    ),
    "kimi-k2": (
        rf"{HAN}+|[^\r\n\p{{L}}\p{{N}}]?(?:(?!{HAN})\p{{L}})+(?:{SUFFIX})?|"
        + _tiktoken(r"\p{N}{1,3}", "").partition("|")[2],
    ),
    "superbpe": (r"\p{N}+", r"(?=(?:[0-9]{3})+(?![0-9]))"),
    "bailingmoe": (
        _tiktoken(r"\p{N}", r"'(?:[sSdDmMtT]|[lL][lL]|[vV][eE]|[rR][eE])|", space=r"\s*[\r\n]|\s+(?!\S)|\s+"),
    ),
    "seed-coder": (rf"(?:{SUFFIX})|[^\r\n\p{{L}}\p{{N}}]?\p{{L}}+|\p{{N}}| ?[^\s\p{{L}}\p{{N}}\r\n]+|{SPACE}",),
    "ufakzeka": (_tiktoken(r"\p{N}", ""),),
    "afmoe": (
        FROM_THE_RIGHT,
        r"[一-鿿㐀-䶿\uF900-\uFAFF぀-ゟ゠-ヿ･-ﾟ⼀-⿟เ-๿຀-໿ក-៿က-႟ꩠ-ꩿꧠ-꧿가-힯ᄀ-ᇿ]+",
        DEEPSEEK[2],
    ),
    "laguna": (*SENTENCES, _tiktoken(r"\p{N}")),
    "exaone-moe": (
        rf"(?:{SUFFIX})|[^\r\n\p{{L}}\p{{N}}]?(?:\p{{L}}\p{{M}}*(?: \p{{L}}\p{{M}}*)*)+|"
        + _tiktoken(r"\p{N}", "", r"[\r\n/]?", r"\s*[\r\n]|\s+(?!\S)|\s+").partition("|")[2],
    ),
    "minicpm5": (r"\p{N}{1,3}", _tiktoken(r"\p{N}+")),
    "gemma4": SENTENCES,
}
"""Expressions by the name of the first model that had them."""

ALIASES = {
    "gpt-2": "phi-2 jina-es jina-de gigachat jina-v2-es jina-v2-de a.x-4.0 mellum modern-bert jina-v1-en jina-v2-code "
    "roberta-bpe mpt olmo jais trillion granite-docling exaone4",
    "starcoder": "refact command-r smollm codeshell exaone minerva-7b mellum2",
    "llama3": "llama-v3 llama-bpe falcon3 falcon-h1 pixtral midm-2.0 lfm2 jina-v5-nano dbrx smaug-bpe glm4 chatglm-bpe",
    "qwen2": "deepseek-r1-qwen kormo f2llmv2 megrez stablelm2 hunyuan solar-open grok-2",
    "deepseek-v3": "hunyuan-dense joyai-llm hy_v4",
    "bloom": "poro-chat gpt3-finnish",
    "gpt-4o": "llama4 kanana2 talkie minimax-m2",
    "tiny_aya": "cohere2moe",
    "bailingmoe": "bailingmoe2 llada-moe",
    "gemma4": "granite-embed-multi-311m sarvam-moe",
}
NAMES = {name: name for name in SPLITS} | {name: family for family, names in ALIASES.items() for name in names.split()}
"""Every name, and whose expressions it has."""
LLAMA3 = "llama3 llama-v3 llama-bpe falcon3 falcon-h1 pixtral midm-2.0 lfm2 jina-v5-nano"
WHOLE_WORDS = frozenset((*LLAMA3.split(), "tekken", "youtu", "minicpm5", "granite-embed-multi-97m"))
"""Whose words that are tokens are taken before merges are looked at: Hugging Face's ignore_merges."""
BEGUN = frozenset((*LLAMA3.split(), "tekken", "chameleon", "gemma4", "granite-embed-multi-311m"))
"""Whose texts have a beginning-of-text token where the file does not say."""
SPACES = frozenset({"gemma4", "granite-embed-multi-311m", "sarvam-moe"})
"""Whose tokens are text with ▁ for a space, not bytes."""


@dataclass(frozen=True, slots=True)
class PreTokenizer:
    """What a file's name of a pre-tokenizer means."""

    expressions: tuple["regex.Pattern[str]", ...]
    whole_words: bool
    begun: bool
    spaces: bool

    def split(self, text: str) -> list[str]:
        """The words of a text; together they are the text."""
        seen, spans = text.translate(WIDE_SPACE), [(0, len(text))]
        for expression in self.expressions:
            spans = [part for start, end in spans for part in _parts(expression, seen[start:end], start)]
        return [text[start:end] for start, end in spans]


@cache
def pre_tokenizer(name: str) -> PreTokenizer:
    """The pre-tokenizer of a name.

    Raises:
        InputError: a name that is unknown.
    """
    if name not in NAMES:
        raise InputError(f"the file's tokenizer splits by {name!r}, which is unknown here")
    expressions = tuple(regex.compile(each) for each in SPLITS[NAMES[name]])
    return PreTokenizer(expressions, name in WHOLE_WORDS, name in BEGUN, name in SPACES)


def _parts(expression: "regex.Pattern[str]", text: str, start: int) -> list[tuple[int, int]]:
    """Spans of what matches and of what lies between."""
    edges = [0]
    for match in expression.finditer(text):
        edges += match.span()
    edges.append(len(text))
    return [(start + a, start + b) for a, b in pairwise(edges) if a < b]
