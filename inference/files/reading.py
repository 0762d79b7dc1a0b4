"""Reading models: GGUF, and Hugging Face safetensors with config.json. Files are untrusted: no pickles, sizes first.

Both end as a ``Checkpoint``: measures and weights by one set of names. The blocks of a GGUF (Q4_0, Q4_1, Q5_0,
Q8_0, Q4_K, Q5_K, Q6_K) are kept as they are; every other format is read as float32 and brought to 8 bits.
"""

import stat
from difflib import get_close_matches
from pathlib import Path

from inference.errors import InputError
from inference.files.gguf_file import read_gguf
from inference.files.safetensors_file import read_directory
from inference.model import Checkpoint

NAMES = ("smollm2", "tiny")
"""Models that need no path."""


def read_model(path: Path) -> Checkpoint:
    """A model file (.gguf) or a directory with config.json and safetensors.

    Raises:
        InputError: not there, truncated, another architecture, missing tensors, unknown quantisation, misfit shapes.
    """
    try:
        mode = path.stat().st_mode
    except FileNotFoundError:
        nearest = get_close_matches(str(path), NAMES, 1)
        hint = f"did you mean {nearest[0]}? A" if nearest else "a"
        raise InputError(
            f"{path}: there is no such model; {hint} name ({', '.join(NAMES)}), a .gguf file or a directory is expected"
        ) from None
    except (OSError, ValueError) as error:
        raise InputError(f"{path}: cannot be read: {getattr(error, 'strerror', None) or error}") from None
    return read_directory(path) if stat.S_ISDIR(mode) else read_gguf(path)
