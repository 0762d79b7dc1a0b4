"""Compiled functions are kept where that is possible, and nowhere where it is not."""

import os
import stat
from pathlib import Path

from numba import config

from auction import _compiled


def test_without_a_place_to_keep_them_a_folder_of_the_process_serves(monkeypatch):
    def refused(*_, **__):
        raise RuntimeError("cannot cache function: no locator available")

    monkeypatch.setattr(config, "CACHE_DIR", "")
    monkeypatch.setenv("NUMBA_CACHE_DIR", "")
    kept = []
    monkeypatch.setattr(_compiled.atexit, "register", lambda *call, **_: kept.append(call))
    _compiled._ensure_cache()
    assert not kept and config.CACHE_DIR == ""

    monkeypatch.setattr(_compiled, "njit", refused)
    _compiled._ensure_cache()
    ((remove, folder),) = kept
    assert config.CACHE_DIR == os.environ["NUMBA_CACHE_DIR"] == folder
    assert stat.S_IMODE(Path(folder).stat().st_mode) == 0o700
    remove(folder)
