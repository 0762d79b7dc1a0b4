"""What native code prints while it is silenced is never seen, whatever buffers hold it."""

import ctypes
import os
from contextlib import nullcontext

import pytest

from auction.solvers._silence import silenced


@pytest.mark.parametrize("raises", [False, True])
def test_what_native_code_prints_is_not_seen_and_what_comes_after_is(capfd, raises):
    libc = ctypes.CDLL(None)
    libc.puts(b"before")  # stays in C's buffer, since nobody watches a terminal
    descriptors = len(os.listdir("/proc/self/fd"))
    with pytest.raises(RuntimeError) if raises else nullcontext(), silenced():
        libc.puts(b"noise")
        os.write(1, b"noise without a buffer\n")
        if raises:
            raise RuntimeError
    libc.puts(b"after")
    libc.fflush(None)
    assert capfd.readouterr().out == "before\nafter\n"
    assert len(os.listdir("/proc/self/fd")) == descriptors
