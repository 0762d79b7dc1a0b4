"""ONNX files as they are found on disk: nodes and float32 weights, and what of them is constant."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from inference.errors import InputError

LARGEST = 2**30
"""Bytes of a file."""
MOST_NODES = 50_000
LARGEST_AXIS = 2**20
OLDEST = 13
"""Of the opsets that are read: before, axes and splits were attributes, and a softmax took all axes after one."""
TYPES = {1: np.float32, 6: np.int32, 7: np.int64}


@dataclass(frozen=True, slots=True, eq=False)
class Node:
    """One node of a file's graph."""

    op: str
    opset: int
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
    opset = max((each.version for each in model.opset_import if each.domain in ("", "ai.onnx")), default=0)
    newest = onnx.defs.onnx_opset_version()
    if not OLDEST <= opset <= newest:
        raise InputError(f"{path}: of opset {opset}; {OLDEST} to {newest} are read")
    values = [*graph.initializer, *graph.input, *graph.output]
    _check_names(path, [each.name for each in values])
    constants, nodes = dict[str, npt.NDArray[Any]](), list[Node]()

    def keep(name: str, tensor: Any) -> None:
        if name in constants:
            raise InputError(f"{path}: two constants have the name {name}")
        constants[name] = _array(path, tensor)

    for tensor in graph.initializer:
        keep(tensor.name, tensor)
    for each in graph.node:
        _check_names(path, [each.domain, each.op_type, *each.input, *each.output, *(a.name for a in each.attribute)])
        if each.domain not in ("", "ai.onnx"):
            raise InputError(f"{path}: the op {each.domain}.{each.op_type} is not known")
        if not each.output or not all(each.output):
            raise InputError(f"{path}: a node ({each.op_type}) without an output, or one without a name")
        attributes = _attributes(path, each, opset)
        if each.op_type == "Constant":
            tensor = attributes.get("value")
            if not isinstance(tensor, onnx.TensorProto):
                raise InputError(f"{path}: the constant {each.output[0]} is no tensor")
            keep(each.output[0], tensor)
            continue
        nodes.append(Node(each.op_type, opset, tuple(each.input), tuple(each.output), attributes, each))
    inputs = {value.name: _shape(path, value) for value in graph.input if value.name not in constants}
    return OnnxGraph(path, nodes, constants, inputs, [value.name for value in graph.output])


def _check_names(path: Path, names: list[Any]) -> None:
    """Protobuf gives what is no UTF-8 as bytes."""
    for name in names:
        if not isinstance(name, str):
            raise InputError(f"{path}: the name {name!r:.40} is not UTF-8")


def _attributes(path: Path, node: Any, opset: int) -> dict[str, Any]:
    """A node's attributes, each of the type that its op gives it; None where it has none of this name."""
    from onnx import helper

    schema, found = schema_of(node.op_type, opset), dict[str, Any]()
    kinds = {} if schema is None else {name: each.type.value for name, each in schema.attributes.items()}
    for each in node.attribute:
        of = f"{path}: the attribute {each.name} of {node.op_type}"
        if each.name in found:
            raise InputError(f"{of} is there twice")
        if each.name in kinds and (each.type != kinds[each.name] or each.ref_attr_name):
            raise InputError(f"{of} is of a type that it never has")
        found[each.name] = helper.get_attribute_value(each) if each.name in kinds else None
    return found


def schema_of(op: str, opset: int) -> Any:
    """What ONNX says of an op, None where it has none of this name."""
    from onnx import defs

    return defs.get_schema(op, opset) if defs.has(op, opset) else None


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
    if value.type.tensor_type.elem_type != 1 or not all(0 < axis <= LARGEST_AXIS for axis in shape):
        raise InputError(f"{path}: the input {value.name} of shape {list(shape)[:8]} is no float32 image or number")
    return shape
