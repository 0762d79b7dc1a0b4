"""Where numba keeps what it compiled: a folder of this process alone where it finds no place that lasts.

Beside the sources or in the user's cache is where it looks; an installation may be read-only and its user without a
home. Imported before anything that is compiled.
"""

import atexit
import os
import shutil
import tempfile

from numba import config, njit


def _ensure_cache() -> None:
    try:
        njit(_ensure_cache, cache=True)  # compiles nothing, but looks for the place
    except RuntimeError:
        folder = tempfile.mkdtemp(prefix="distribute-lab-")  # readable by nobody else: what lies there is executed
        atexit.register(shutil.rmtree, folder, ignore_errors=True)
        os.environ["NUMBA_CACHE_DIR"] = folder  # for child processes too
        config.reload_config()


_ensure_cache()
