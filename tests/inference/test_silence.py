"""What libraries of other languages say is not shown, and what is raised goes on."""

import os
import sys

import pytest

from inference.silence import silenced


def test_nothing_written_below_python_is_shown(capfd):
    def warn():
        with silenced():
            os.write(2, b"a driver warns\n")
            raise ValueError("no")

    with pytest.raises(ValueError, match="no"):
        warn()
    print("after", file=sys.stderr, flush=True)
    assert capfd.readouterr() == ("", "after\n")
