"""The one error a caller is meant to see."""


class InputError(ValueError):
    """Bad input: one line that says what is wrong, where, and what is allowed.

    The command line prints it and exits with code 2.
    """
