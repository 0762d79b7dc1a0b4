"""Cells that stream to Parquet: none is lost, none is done again, none is kept half."""

import itertools

import pandas as pd
import pytest

from auction.streaming import begin, streamed

done = itertools.count()


def squared(cell):
    next(done)
    if cell == 13:
        raise ZeroDivisionError
    return pd.DataFrame({"square": [cell * cell], "status": ["interrupted" if cell == 7 else "optimal"]})


def results(cells, folder):
    """What came of each cell, and how many were worked on."""
    before = next(done)
    frames = streamed(squared, cells, lambda cell: [cell], folder, processes=1)
    found = {number: frame["square"][0] for number, frame in frames}
    return found, next(done) - before - 1


def test_what_lies_there_is_not_made_again(tmp_path):
    begin(tmp_path / "cells", resume=False)
    assert results([1, 2], tmp_path / "cells") == ({0: 1, 1: 4}, 2)
    begin(tmp_path / "cells", resume=True)
    assert results([3, 2, 1, 2], tmp_path / "cells") == ({1: 4, 2: 1, 3: 4, 0: 9}, 1)
    begin(tmp_path / "cells", resume=False)
    assert results([1], tmp_path / "cells") == ({0: 1}, 1)
    assert results([1], None) == ({0: 1}, 1)


def test_an_interrupt_leaves_what_had_ended_and_it_is_taken_up(tmp_path):
    with pytest.raises(ZeroDivisionError):
        results([1, 2, 13, 3], tmp_path)
    assert len(list(tmp_path.glob("*.parquet"))) == len(list(tmp_path.iterdir())) == 2
    assert results([1, 2, 3], tmp_path) == ({0: 1, 1: 4, 2: 9}, 1)


def test_a_cell_that_was_interrupted_is_not_kept(tmp_path):
    assert results([7, 8], tmp_path)[1] == results([7, 8], tmp_path)[1] + 1 == 2


def test_frames_come_back_as_they_were(tmp_path):
    frame = pd.DataFrame({"bound": [None], "proof": [None], "status": ["a"], "seconds": [0.1]})
    frame = frame.astype({"bound": "Int64", "proof": "str"})
    for _ in range(2):
        ((_, found),) = streamed(lambda cell: frame, [0], str, tmp_path, processes=1)
        pd.testing.assert_frame_equal(found, frame)


def test_a_damaged_cell_is_made_again(tmp_path):
    assert results([1, 2], tmp_path)[1] == 2
    first = min(tmp_path.iterdir())
    for content in (first.read_bytes()[:40], b""):
        first.write_bytes(content)
        assert results([1, 2], tmp_path) == ({0: 1, 1: 4}, 1)
    assert results([1, 2], tmp_path)[1] == 0


def test_a_folder_that_cannot_be_written_is_refused(refusal, tmp_path):
    (tmp_path / "file").touch()
    assert refusal(begin, tmp_path / "file", resume=True).startswith(f"{tmp_path / 'file'}: cannot be written")
