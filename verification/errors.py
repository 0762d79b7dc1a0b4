"""Errors a caller is meant to see."""


class InputError(ValueError):
    """Bad input: one line that says what is wrong, where, and what is allowed.

    The command line prints it and exits with code 2.
    """


class Refusal(ValueError):  # noqa: N818 - nothing has gone wrong
    """A message or an operation that is not accepted; the state is as it was before."""

    def __init__(self, reason: str, message: str) -> None:
        super().__init__(message)
        self.reason = reason
        """A short name, the same for every refusal of its kind."""
