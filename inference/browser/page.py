"""The conformance page: one HTML file with the kernels, the tiny model and what must come out of them."""

import json
import re
from base64 import b64encode
from collections.abc import Iterable, Mapping
from hashlib import sha256
from importlib.resources import files
from itertools import chain
from typing import Any

from inference.conformance import CASES, LIMIT, OPERANDS, PROMPT
from inference.device import export
from inference.device.target import DOT4, Target
from inference.generate import generate
from inference.kernels import alone
from inference.model import Model
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
    bundle = {
        "operands": OPERANDS,
        "cases": CASES,
        "digest": digest,
        "runs": runs,
        "kernels": {path: alone(path.removesuffix(".wgsl")) for path in (*ALONE, *_kernels(runs.values()))},
        "weights": {
            key: b64encode(pack(model.constants[name]).tobytes()).decode()
            for key, (name, pack) in export.weights(model).items()
        },
    }
    parts = {
        "style": file("style.css"),
        "digest": digest[:16],
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


def _kernels(runs: Iterable[Mapping[str, Any]]) -> list[str]:
    """The kernel files that runs name."""
    programs = [program for run in runs for program in run["programs"]]
    dispatches = chain.from_iterable(chain.from_iterable(program["dispatches"] for program in programs))
    return sorted({path for each in dispatches for path in each["kernel"]})


def _inside_html(content: Any) -> str:
    """JSON that a script element can hold."""
    return json.dumps(content).replace("<", "\\u003c")
