"""The errors a caller is meant to see."""


class InputError(ValueError):
    """Bad input: one line that says what is wrong, where, and what is allowed.

    The command line prints it and exits with code 2. What a file's text would do to that line is written out.
    """

    def __init__(self, message: str) -> None:
        super().__init__(_one_line(message))


class Refusal(ValueError):  # noqa: N818 - a turn of the protocol, not a fault
    """What the protocol turns down: a message, an amount, a request out of turn. The state is as it was before.

    ``reason`` is its short name in kebab-case ("beyond-balance"); the text is one line, a file's written out in it.
    """

    def __init__(self, reason: str, message: str) -> None:
        super().__init__(_one_line(message))
        self.reason = reason


def _one_line(text: str) -> str:
    """What no terminal obeys: letters that cannot be printed, ends of lines among them, written out."""
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)
