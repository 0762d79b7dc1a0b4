"""Which variant of a kernel an adapter runs fastest: measured by ``measure.tune``, kept a file an adapter.

A case is an op in one arithmetic, the tokens of a pass and the size of the weights, each the next class below; what
was not measured takes the variant that its op thinks likeliest.
"""

import json
from bisect import bisect_right
from collections.abc import Mapping
from hashlib import sha256
from math import prod
from pathlib import Path
from typing import Any

import networkx as nx

from inference.device.program import Choose, first
from inference.files import cache
from inference.graph import Arithmetic

TOKENS = (1, 4, 16, 64)
"""From so many on."""
SIZES = (0, 2**22)
"""From so many words of the second operand, weights or cache, on."""


def case(op: str, arithmetic: Arithmetic, tokens: int, words: int) -> str:
    """The name of a case: ``matmul_q4 exact 64 tokens 4194304 words``."""
    tokens, words = (classes[bisect_right(classes, value) - 1] for classes, value in ((TOKENS, tokens), (SIZES, words)))
    return f"{op} {arithmetic} {tokens} tokens {words} words"


def choose(choices: Mapping[str, str]) -> Choose:
    """By case, the variant that was fastest, as ``program`` asks for it."""

    def chosen(name: str, admitted: list[str], graph: nx.DiGraph) -> str:
        node = graph.nodes[name]
        if len(admitted) == 1:
            return admitted[0]
        words = prod(graph.nodes[node["inputs"][1]]["shape"])
        variant = choices.get(case(node["op"], graph.graph["arithmetic"], node["shape"][0], words))
        return variant if variant in admitted else first(name, admitted, graph)

    return chosen


def path(backend: str, name: str, driver: str, lanes: int) -> Path:
    """The file of an adapter, as one release of its driver runs it."""
    identity = json.dumps([backend, name, driver, lanes]).encode()
    return cache.folder("tuning") / f"{sha256(identity).hexdigest()[:16]}.json"


def load(file: Path) -> dict[str, str]:
    """The choices kept in a file; none where there is no file, or another program's."""
    try:
        kept: Any = json.loads(file.read_text())
    except (OSError, ValueError):
        return {}
    choices = kept.get("choices") if isinstance(kept, dict) else None
    return choices if isinstance(choices, dict) else {}
