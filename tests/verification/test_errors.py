"""Errors are one line that no terminal obeys, whatever a file or a stranger wrote into them."""

import pytest

from verification.errors import InputError, Refusal


@pytest.mark.parametrize("error", [InputError, lambda text: Refusal("damaged", text)])
def test_text_of_strangers_is_written_out(error):
    assert str(error("schema (a\nb\x1b[2J\u202e) – ünicode")) == "schema (a\\nb\\x1b[2J\\u202e) – ünicode"
