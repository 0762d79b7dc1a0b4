"""Consoles: what a file says is shown, never obeyed; what an encoding lacks is replaced."""

import io
import sys

import pytest

from inference.commands.terminal import printable, readable, replace_unencodable


def test_messages_are_one_line_without_what_a_terminal_obeys():
    assert printable("a\x1b[2Kb\nc\x9bd\u202e") == "a\\x1b[2Kb\\nc\\x9bd\\u202e"
    assert printable("naïve 价格 😀") == "naïve 价格 😀"


def test_texts_keep_their_lines_and_scripts():
    family = "👨\u200d👩 \u3000价格\ttab\nline"
    assert readable(family) == family
    assert readable("".join(map(chr, range(256)))) == "".join(
        chr(code) if chr(code) in "\n\t" or 32 <= code < 127 or code >= 160 else f"\\x{code:02x}" for code in range(256)
    )


@pytest.mark.parametrize("encoding", ["ascii", "cp1252"])
def test_what_a_console_lacks_is_replaced(monkeypatch, encoding):
    written = io.BytesIO()
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(written, encoding))
    replace_unencodable()
    print("naïve 价格", flush=True)
    assert written.getvalue().decode(encoding).rstrip() == ("na?ve ??" if encoding == "ascii" else "naïve ??")
