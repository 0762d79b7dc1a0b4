"""Gemma 3 270M, where its GGUF file is at hand (it is no part of this project: its terms are its own)."""

import os
from pathlib import Path

import numpy as np
import pytest

from inference.device.runtime import Runtime
from inference.files.reading import read_model
from inference.generate import fit
from inference.models.llama import model
from inference.tokens.text import Text

VARIABLE = "DISTRIBUTE_LAB_GEMMA3_270M"
TEXT = Path(__file__).parents[3] / "docs" / "files.md"
TOKENS = 200


@pytest.mark.slow
@pytest.mark.skipif(VARIABLE not in os.environ, reason=f"{VARIABLE} names no file of Gemma 3 270M")
def test_perplexity_in_exact_arithmetic_is_that_of_float32(stack, device):
    """Within 0.3 %, or what the tokens at hand cannot tell from it."""
    read = read_model(Path(os.environ[VARIABLE]))
    ids = Text(read.tokenizer, read.vocabulary).encode(TEXT.read_text())[:TOKENS]
    nll = {}
    for arithmetic in ("float32", "exact"):
        nll[arithmetic] = fit(Runtime(model("gemma", read, arithmetic), device(stack)), ids).nll
    difference = nll["exact"] - nll["float32"]
    deviation = difference.std() / np.sqrt(len(difference))
    assert deviation < 0.005  # as accurate as formats that were seen to do, token by token
    assert abs(difference.mean()) < 0.003 + 2 * deviation
