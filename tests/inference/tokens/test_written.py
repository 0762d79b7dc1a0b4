"""Text as it comes: only what later tokens cannot change, and nothing from a stop on."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inference.tokens.text import Text
from inference.tokens.written import Written

BYTES = Text({}, 256)


@given(st.text("ab\né🙂", max_size=20), st.lists(st.text("ab\né", min_size=1, max_size=3), max_size=3))
def test_pieces_together_are_the_text_before_the_first_stop(text, stops):
    written = Written(BYTES, (), stops)
    pieces = []
    for token in text.encode():
        pieces.append(written.take(token))
        if written.stopped:
            break
    pieces.append(written.rest())
    read = next((text[:size] for size in range(len(text) + 1) if any(stop in text[:size] for stop in stops)), text)
    first = min((read.find(stop) for stop in stops if stop in read), default=len(text))
    assert "".join(pieces) == written.shown == text[:first]
    assert written.finish == ("stop" if first < len(text) else "length")


def test_what_may_become_a_stop_is_held_back():
    written = Written(BYTES, (0,), ("abc",))
    assert [written.take(token) for token in b"xabab"] == ["x", "", "", "ab", ""]
    assert written.take(0) == "" and written.rest() == "ab"
    assert written.finish == "stop" and not written.stopped


@pytest.mark.parametrize("stops", [(), ("Z",)])
def test_an_end_token_is_no_text(stops):
    written = Written(BYTES, (10,), stops)
    assert [written.take(token) for token in b"a\n"] == ["a", ""] and written.finish == "stop"
