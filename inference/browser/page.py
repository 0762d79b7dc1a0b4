"""The conformance page: one HTML file with the kernels, the tiny model, a picture and what must come out of them."""

import json
import re
from base64 import b64encode
from collections.abc import Iterable, Mapping
from hashlib import sha256
from importlib.resources import files
from itertools import chain
from typing import Any

import numpy as np

from inference.conformance import CASES, LIMIT, OPERANDS, PROMPT
from inference.device import export
from inference.device.program import program
from inference.device.target import DOT4, Target
from inference.generate import digest_of, generate
from inference.kernels import alone
from inference.model import Model
from inference.models.small_picture import small_picture
from inference.reference import Reference

TARGETS = {
    "portable": Target(64),
    "dot4": Target(64, features=frozenset([DOT4])),
    "processors": Target(16),
    "subgroups": Target(16, subgroups=True),
}
"""Kernels of GPUs and of processors, each with and without what not every device has."""
ALONE = ("conformance.wgsl", "subgroup_size.wgsl")


def file(name: str) -> str:
    """One of the browser's own files."""
    return (files("inference.browser") / name).read_text()


def conformance_page(model: Model) -> str:
    """The page as one file; the expected digest is the numpy reference's."""
    runs = {name: export.run(model, PROMPT, LIMIT, target) for name, target in TARGETS.items()}
    digest = generate(Reference(model), PROMPT, limit=LIMIT).digest
    picture = _picture()
    programs = [*chain.from_iterable(run["programs"] for run in runs.values()), *picture["programs"].values()]
    bundle = {
        "operands": OPERANDS,
        "cases": CASES,
        "digest": digest,
        "runs": runs,
        "kernels": {path: alone(path.removesuffix(".wgsl")) for path in (*ALONE, *_kernels(programs))},
        "weights": {
            key: b64encode(pack(model.constants[name]).tobytes()).decode()
            for key, (name, pack) in export.weights(model).items()
        },
        "picture": picture,
    }
    parts = {
        "style": file("style.css"),
        "digest": digest[:16],
        "drawn": picture["digest"][:16],
        "bundle": _inside_html(bundle),
        "engine": file("engine.js"),
        "script": file("conformance.js"),
    }
    page = file("conformance.html")
    for name, part in parts.items():
        page = page.replace(f"{{{{ {name} }}}}", part)
    return page


def policy(page: str) -> str:
    """The Content-Security-Policy of a page: files of the server, and the scripts and styles that are inside it now."""
    scripts = _hashes(re.findall(r'(?s)<script type="module">(.*?)</script>', page))
    styles = _hashes(re.findall(r"(?s)<style>(.*?)</style>", page))
    return (
        f"default-src 'none'; script-src 'self'{scripts}; style-src 'self'{styles}; connect-src 'self'; "
        "img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    )


def _hashes(texts: Iterable[str]) -> str:
    return "".join(f" 'sha256-{b64encode(sha256(text.encode()).digest()).decode()}'" for text in texts)


def _picture() -> dict[str, Any]:
    """The small picture: its programs by target, inputs, weights, and the numpy reference's digest."""
    model, graph, given, last = small_picture()
    built = {name: program(graph, target, keep=frozenset([last])) for name, target in TARGETS.items()}
    weights = {key: each for made in built.values() for key, each in made.weights.items()}
    [drawn] = Reference(model).run(graph, given, [last])
    return {
        "programs": {name: export.as_json(graph, made, [last]) for name, made in built.items()},
        "inputs": {f"input {name}": words.ravel().tolist() for name, words in given.items()},
        "digest": digest_of(drawn),
        "weights": {
            key: b64encode(np.ascontiguousarray(pack(model.constants[name])).tobytes()).decode()
            for key, (name, pack) in weights.items()
        },
    }


def _kernels(programs: Iterable[Mapping[str, Any]]) -> list[str]:
    """The kernel files that programs name."""
    dispatches = chain.from_iterable(chain.from_iterable(program["dispatches"] for program in programs))
    return sorted({path for each in dispatches for path in each["kernel"]})


def _inside_html(content: Any) -> str:
    """JSON that a script element can hold."""
    return json.dumps(content).replace("<", "\\u003c")
