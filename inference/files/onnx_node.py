"""What ONNX itself says of one node: its outputs' shapes, and its output where it reads constants alone."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from inference.errors import InputError
from inference.files.onnx_file import Node, schema_of

Size = tuple[int, ...]
"""A shape as ONNX has it."""
MOST_READ = 64
"""Numbers of a constant on which a shape depends."""
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


def output_sizes(
    path: Path, node: Node, sizes: Mapping[str, Size], known: Mapping[str, npt.NDArray[Any]]
) -> list[Size]:
    """The shapes of a node's outputs, of float32 inputs of ``sizes`` and of constants.

    Raises:
        InputError: inputs or attributes that its op does not take, or too few of them.
    """
    import onnx

    given = [name for name in node.inputs if name]
    types = {
        name: onnx.helper.make_tensor_type_proto(
            onnx.helper.np_dtype_to_tensor_dtype(known[name].dtype) if name in known else onnx.TensorProto.FLOAT,
            known[name].shape if name in known else sizes[name],
        )
        for name in given
    }
    numbers = {
        name: onnx.numpy_helper.from_array(known[name], name)
        for name in given
        if name in known and known[name].size <= MOST_READ
    }
    opset = [onnx.helper.make_opsetid("", node.opset)]
    try:
        schema = schema_of(node.op, node.opset)
        found = onnx.shape_inference.infer_node_outputs(schema, node.proto, types, numbers, opset_imports=opset)
    except Exception as error:  # noqa: BLE001 - the library raises what it likes on a file that is wrong
        raise InputError(f"{path}: {node.outputs[0]} ({node.op}): {' '.join(str(error).split())}") from None
    axes = [found[name].tensor_type.shape.dim if name in found else () for name in node.outputs]
    if not all(each and all(axis.dim_value > 0 for axis in each) for each in axes):
        raise InputError(f"{path}: {node.outputs[0]} ({node.op}) has a shape that does not follow from the inputs'")
    return [tuple(axis.dim_value for axis in each) for each in axes]


def check_attributes(path: Path, node: Node) -> None:
    """InputError where an op has no attribute of a name, or must have one that is not there."""
    schema = schema_of(node.op, node.opset)
    known = {} if schema is None else {name: each.required for name, each in schema.attributes.items()}
    for name in node.attributes.keys() - known.keys():
        raise InputError(f"{path}: the attribute {name} of {node.op} is not known in opset {node.opset}")
    for name in (name for name, required in known.items() if required and name not in node.attributes):
        raise InputError(f"{path}: {node.outputs[0]} ({node.op}) lacks the attribute {name}")


def default(node: Node, attribute: str) -> Any:
    """What an attribute is where a node does not give it; None where its op does not say."""
    import onnx

    given = schema_of(node.op, node.opset).attributes[attribute].default_value
    return onnx.helper.get_attribute_value(given) if given.name else None


def folded(path: Path, node: Node, known: Mapping[str, npt.NDArray[Any]]) -> npt.NDArray[Any]:
    """The output of a node that reads constants alone.

    Raises:
        InputError: an op that is not folded, or inputs that it does not take.
    """
    from onnx.reference import ReferenceEvaluator

    if node.op not in FOLDED or len(node.outputs) != 1:
        raise InputError(f"{path}: the op {node.op} of constants is not known; {', '.join(FOLDED)} are")
    check_attributes(path, node)
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
