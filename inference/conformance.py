"""What every stack must agree on: corner cases of WGSL's integers, a whole model, a picture; one table."""

from dataclasses import asdict, dataclass
from typing import Any

import networkx as nx
import numpy as np

from inference.device.adapters import stacks
from inference.device.device import Device
from inference.device.program import admitted
from inference.device.runtime import Runtime
from inference.generate import Backend, digest_of, generate, passes
from inference.graph import schedule
from inference.model import Model
from inference.models.small_picture import small_picture
from inference.reference import Reference

OPERANDS = (1, -(2**31), 2**31 - 1, -7, -1, 33, 0, 2**24 - 1, -2139062144, 4095, 4097, -4095)
CASES: tuple[tuple[str, int], ...] = (
    ("i32 wraps upwards", -(2**31)),
    ("i32 wraps downwards", 2**31 - 1),
    ("i32 product wraps", -(2**31)),
    ("u32 product wraps", 1),
    ("INT_MIN / -1 is INT_MIN", -(2**31)),
    ("INT_MIN % -1 is 0", 0),
    ("x / 0 is x", -7),
    ("x % 0 is 0", 0),
    ("division truncates", -3),
    ("the remainder has the dividend's sign", -1),
    ("a right shift of i32 is arithmetic", -4),
    ("shift counts are modulo 32", 2),
    ("and so for u32", 2**31 - 1),
    ("-INT_MIN is INT_MIN", -(2**31)),
    ("abs(INT_MIN) is INT_MIN", -(2**31)),
    ("32 leading zeros of 0", 32),
    ("2^24 in f32", 2**24),
    ("below 2^24 in f32", 2**24 - 3),
    ("a product and a sum within 2^24, fused or not", 4095 * 4096),
    ("dot4I8Packed at its end", 4 * 128 * 128),
    ("dot4U8Packed at its end", 4 * 255 * 255),
    ("f32 to i32 truncates", -3),
    ("u32 division", (2**32 - 1) // 4097),
    ("min, max, xor", -(2**31)),
)
PROMPT, LIMIT = list(b"The capital of France is"), 8


@dataclass(frozen=True, slots=True)
class Row:
    """One stack."""

    backend: str
    adapter: str
    driver: str
    failures: list[str]
    """Corner cases it gets wrong."""
    digest: str
    """Of a greedy run of the model."""
    picture: str
    """Of the small picture."""

    def as_json(self) -> dict[str, Any]:
        return asdict(self)


def conformance(model: Model) -> list[Row]:
    """The numpy reference and every stack present."""
    drawn, graph, given, last = small_picture()

    def digests(of_model: Backend, of_picture: Backend) -> tuple[str, str]:
        [picture] = of_picture.run(graph, given, [last])
        return generate(of_model, PROMPT, limit=LIMIT).digest, digest_of(picture)

    rows = [Row("numpy", "numpy", np.__version__, [], *digests(Reference(model), Reference(drawn)))]
    for backend, adapter in stacks():
        device = Device(backend, adapter)
        found = digests(Runtime(model, device), Runtime(drawn, device))
        rows.append(Row(backend, adapter, device.adapter.info["description"], failures(device), *found))
    return rows


def by_variant(model: Model, device: Device) -> dict[str, str]:
    """The digest of the model's run for each variant that the device admits, taken wherever it does."""
    target, names, chosen = device.target, set[str](), device.choose
    for each in passes(model, PROMPT, 2):
        for node in schedule(each.graph):
            names |= {*admitted(each.graph, node, target)}
    found = {}
    for variant in sorted(names):

        def prefer(node: str, admitted: list[str], graph: nx.DiGraph, variant: str = variant) -> str:
            return variant if variant in admitted else admitted[0]

        device.choose = prefer
        found[variant] = generate(Runtime(model, device), PROMPT, limit=LIMIT).digest
    device.choose = chosen
    return found


def failures(device: Device) -> list[str]:
    """The corner cases that a device gets wrong."""
    found = device.compute("conformance", np.array(OPERANDS, np.int32), len(CASES))
    return [
        f"{case}: {got}, not {wanted}"
        for (case, wanted), got in zip(CASES, found.tolist(), strict=True)
        if got != wanted
    ]
