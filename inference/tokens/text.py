"""Text to tokens and back, by what a model's file says of its tokenizer."""

from inference.errors import InputError
from inference.tokens import template
from inference.tokens.fields import Fields
from inference.tokens.gguf import GgufTokenizer
from inference.tokens.huggingface import HuggingFaceTokenizer
from inference.tokens.template import Rendered


class Text:
    """A model's tokenizer, from what its file says of it; a model without one reads and writes bytes."""

    def __init__(self, fields: Fields, vocabulary: int) -> None:
        self.vocabulary = vocabulary
        self.tokenizer = tokenizer(fields)
        self.template, self.named = template.find(fields), template.special(fields)

    def encode(self, text: str) -> list[int]:
        """Ids of a text, which begins and ends with the tokens that the file wants, once.

        Control tokens that the text spells are control tokens, but those that messages in a template spell.

        Raises:
            InputError: text that is not UTF-8, bytes beyond the vocabulary of a model without a tokenizer.
        """
        try:
            ids = list(text.encode())
        except UnicodeEncodeError as error:
            raise InputError(f"the prompt is not UTF-8: {text[error.start : error.end]!a} stands in it") from None
        if self.tokenizer is None:
            if ids and max(ids) >= self.vocabulary:
                raise InputError(f"the model has no tokenizer and knows bytes below {self.vocabulary}, not {max(ids)}")
            return ids
        begin, finish = self.tokenizer.begin, self.tokenizer.finish
        if isinstance(text, Rendered):
            ids, finish = self.tokenizer.encode(text.marked, text.mark if text != text.marked else ""), []
        else:
            ids = self.tokenizer.encode(text, "")
        ids = ids if ids[: len(begin)] == begin else begin + ids
        return ids if ids[len(ids) - len(finish) :] == finish else ids + finish

    def decode(self, ids: list[int]) -> str:
        """The text of tokens; bytes that are no UTF-8 become U+FFFD."""
        if self.tokenizer is not None:
            return self.tokenizer.decode(ids)
        return bytes(token % 256 for token in ids).decode(errors="replace")

    def chat(self, message: str) -> Rendered:
        """A message in the model's chat template, ready to be answered.

        Raises:
            InputError: the model has none, or it cannot be filled in.
        """
        if self.template is None:
            raise InputError("the model has no chat template; leave --chat out")
        return self.conversation([{"role": "user", "content": message}])

    def conversation(self, messages: list[dict[str, str]]) -> Rendered:
        """Messages {role, content} in the model's chat template, or as lines "role: content", ready to be answered.

        Raises:
            InputError: the template cannot be filled in.
        """
        control = () if self.tokenizer is None else self.tokenizer.control
        return template.conversation(self.template, messages, control, self.named)


def tokenizer(fields: Fields) -> GgufTokenizer | HuggingFaceTokenizer | None:
    """The tokenizer that a file describes.

    Raises:
        InputError: one that is damaged, or of an unknown kind.
    """
    if "tokenizer.json" in fields:
        return HuggingFaceTokenizer(fields)
    return GgufTokenizer(fields) if "tokenizer.ggml.model" in fields else None
