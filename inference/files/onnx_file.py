"""ONNX files as they are found on disk: nodes and float32 weights, and what of them is constant."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from inference.errors import InputError

LARGEST = 2**30
"""Bytes of a file."""
MOST_NODES = 50_000
MOST_FOLDED = 2**20
"""Numbers of a constant that is computed."""
FOLDED = (
    "Add",
    "Concat",
    "Cos",
    "Div",
    "Log",
    "Mul",
    "Pow",
    "Reciprocal",
    "Reshape",
    "Sin",
    "Sqrt",
    "Squeeze",
    "Sub",
    "Unsqueeze",
)
"""What is computed where it reads constants alone: embeddings of a given time, shapes."""
ROUNDED = ("Cos", "Log", "Sin", "Sqrt")
"""Computed in float64 and rounded: float32 functions differ in the last place between processors."""
TYPES = {1: np.float32, 6: np.int32, 7: np.int64}


@dataclass(frozen=True, slots=True, eq=False)
class Node:
    """One node of a file's graph."""

    op: str
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    attributes: dict[str, Any]
    proto: Any = field(repr=False)


@dataclass(frozen=True, slots=True, eq=False)
class OnnxGraph:
    """A file's graph: its nodes in order."""

    path: Path
    nodes: list[Node] = field(repr=False)
    constants: dict[str, npt.NDArray[Any]] = field(repr=False)
    inputs: dict[str, tuple[int, ...]]
    """Shapes, the batch as 1."""
    outputs: list[str]


def read_onnx(path: Path) -> OnnxGraph:
    """A file's graph.

    Raises:
        InputError: it cannot be read, is no ONNX file, or holds what no model of ours does.
    """
    try:
        import onnx
    except ImportError:
        raise InputError("reading ONNX files needs the package onnx: pip install onnx") from None
    try:
        if path.stat().st_size > LARGEST:
            raise InputError(f"{path}: {path.stat().st_size} bytes; {LARGEST} are allowed")
        model = onnx.ModelProto.FromString(path.read_bytes())
    except OSError as error:
        raise InputError(f"{path}: cannot be read: {error.strerror}") from None
    except Exception as error:
        if type(error).__name__ != "DecodeError":
            raise
        raise InputError(f"{path}: is no ONNX file") from None
    graph = model.graph
    if not graph.node:
        raise InputError(f"{path}: holds no graph")
    if len(graph.node) > MOST_NODES:
        raise InputError(f"{path}: {len(graph.node)} nodes; {MOST_NODES} are allowed")
    values = [*graph.initializer, *graph.input, *graph.output]
    _check_names(path, [each.name for each in values])
    constants = {tensor.name: _array(path, tensor) for tensor in graph.initializer}
    nodes = []
    for each in graph.node:
        _check_names(path, [each.domain, each.op_type, *each.input, *each.output, *(a.name for a in each.attribute)])
        if each.domain not in ("", "ai.onnx"):
            raise InputError(f"{path}: the op {each.domain}.{each.op_type} is not known")
        attributes = _attributes(path, each)
        if each.op_type == "Constant":
            tensor = attributes.get("value")
            if not isinstance(tensor, onnx.TensorProto):
                raise InputError(f"{path}: the constant {each.output[0]} is no tensor")
            constants[each.output[0]] = _array(path, tensor)
            continue
        nodes.append(Node(each.op_type, tuple(each.input), tuple(each.output), attributes, each))
    inputs = {value.name: _shape(path, value) for value in graph.input if value.name not in constants}
    return OnnxGraph(path, nodes, constants, inputs, [value.name for value in graph.output])


def _check_names(path: Path, names: list[Any]) -> None:
    """Protobuf gives what is no UTF-8 as bytes."""
    for name in names:
        if not isinstance(name, str):
            raise InputError(f"{path}: the name {name!r:.40} is not UTF-8")


def _attributes(path: Path, node: Any) -> dict[str, Any]:
    """A node's attributes, each of the type that its op gives it."""
    from onnx import defs, helper

    kinds = defs.get_schema(node.op_type).attributes if defs.has(node.op_type) else {}
    for each in node.attribute:
        if each.name in kinds and each.type != kinds[each.name].type.value:  # type: ignore[attr-defined]
            raise InputError(f"{path}: the attribute {each.name} of {node.op_type} is of a type that it never has")
    return {each.name: helper.get_attribute_value(each) for each in node.attribute if each.name in kinds}


def _array(path: Path, tensor: Any) -> npt.NDArray[Any]:
    """A tensor's numbers."""
    from onnx import numpy_helper

    if tensor.data_location or tensor.external_data:
        raise InputError(f"{path}: the numbers of {tensor.name} lie in another file")
    if tensor.data_type not in TYPES:
        raise InputError(f"{path}: {tensor.name} is of a type that is not read; float32, int32 and int64 are")
    try:
        array = np.asarray(numpy_helper.to_array(tensor))
    except (ValueError, TypeError, OverflowError, MemoryError):
        array = None
    if array is None or array.shape != tuple(tensor.dims):
        raise InputError(f"{path}: the numbers of {tensor.name} do not fit its shape {list(tensor.dims)[:8]}")
    if array.dtype.kind == "f" and not np.isfinite(array).all():
        raise InputError(f"{path}: {tensor.name} has numbers that are not finite")
    return array


def _shape(path: Path, value: Any) -> tuple[int, ...]:
    dims = value.type.tensor_type.shape.dim
    shape = tuple(d.dim_value if d.HasField("dim_value") else 1 for d in dims)
    if value.type.tensor_type.elem_type != 1 or not all(0 < axis <= MOST_FOLDED for axis in shape):
        raise InputError(f"{path}: the input {value.name} of shape {list(shape)[:8]} is no float32 image or number")
    return shape


def folded(path: Path, node: Node, known: Mapping[str, npt.NDArray[Any]]) -> npt.NDArray[Any]:
    """The output of a node that reads constants alone.

    Raises:
        InputError: an op that is not folded, or inputs that it does not take.
    """
    from onnx.reference import ReferenceEvaluator

    if node.op not in FOLDED or len(node.outputs) != 1:
        raise InputError(f"{path}: the op {node.op} of constants is not known; {', '.join(FOLDED)} are")
    given = {name: known[name] for name in node.inputs if name}
    if node.op in ROUNDED:
        given = {name: array.astype(np.float64) for name, array in given.items()}
    if sum(array.size for array in given.values()) > MOST_FOLDED:
        raise InputError(f"{path}: {node.outputs[0]} is computed of more than {MOST_FOLDED} constants")
    try:
        with np.errstate(all="ignore"):
            [result] = ReferenceEvaluator(node.proto).run(None, given)
    except Exception as error:  # noqa: BLE001 - the library raises what it likes on a file that is wrong
        raise InputError(f"{path}: {node.outputs[0]} ({node.op}): {error}") from None
    result = np.asarray(result)
    if result.size > MOST_FOLDED or (result.dtype.kind == "f" and not np.isfinite(result).all()):
        raise InputError(f"{path}: {node.outputs[0]} ({node.op}) is not finite, or too large")
    return result.astype(np.float32) if result.dtype.kind == "f" else result
