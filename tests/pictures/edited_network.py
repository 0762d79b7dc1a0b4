"""An ONNX model edited as bytes hardly ever are: inputs left out or exchanged, other ops, attributes, shapes."""

from math import prod

import onnx


def edited(good, draw):
    """A copy of a model with one to three edits, drawn by a ``random.Random``."""
    model = onnx.ModelProto()
    model.CopyFrom(good)
    for _ in range(draw.choice((1, 1, 2, 3))):
        draw.choice(EDITS)(model.graph, draw.choice(model.graph.node), draw)
    return model


def names(graph):
    return [
        *(name for node in graph.node for name in node.output),
        *(each.name for each in (*graph.initializer, *graph.input)),
    ]


def drop_input(graph, node, draw):
    if node.input:
        del node.input[draw.randrange(len(node.input))]


def replace_input(graph, node, draw):
    if node.input:
        node.input[draw.randrange(len(node.input))] = draw.choice([*names(graph), ""])


def add_input(graph, node, draw):
    node.input.append(draw.choice([*names(graph), ""]))


def change_op(graph, node, draw):
    node.op_type = draw.choice(graph.node).op_type


def drop_output(graph, node, draw):
    if node.output:
        del node.output[draw.randrange(len(node.output))]


def add_output(graph, node, draw):
    node.output.append(draw.choice([*names(graph), "another", ""]))


def drop_attribute(graph, node, draw):
    if node.attribute:
        del node.attribute[draw.randrange(len(node.attribute))]


def add_attribute(graph, node, draw):
    node.attribute.append(draw.choice(draw.choice([each for each in graph.node if each.attribute]).attribute))


def change_attribute(graph, node, draw):
    if node.attribute:
        attribute = draw.choice(node.attribute)
        if attribute.ints and draw.random() < 0.5:
            attribute.ints.append(draw.choice((0, 1, 2, -1)))
        elif attribute.ints:
            attribute.ints[draw.randrange(len(attribute.ints))] = draw.choice((0, 1, 2, -1, 2**40))
        else:
            attribute.i, attribute.f = draw.choice((0, 1, -1, 5, 2**40)), draw.choice((0.0, -1.0, float("nan")))


def reshape_constant(graph, node, draw):
    tensor = draw.choice(graph.initializer)
    axes = list(tensor.dims)
    tensor.dims[:] = draw.choice(([1, *axes], [prod(axes)], draw.sample(axes, len(axes))))


def reshape_input(graph, node, draw):
    axes = draw.choice(graph.input).type.tensor_type.shape.dim
    if axes and draw.random() < 0.7:
        draw.choice(axes).dim_value = draw.choice((0, 1, 2, 3, 64, 4096))
    elif axes:
        del axes[-1]
    else:
        axes.add().dim_value = 2


def change_output(graph, node, draw):
    graph.output[0].name = draw.choice(names(graph))


EDITS = (
    drop_input,
    replace_input,
    replace_input,
    add_input,
    change_op,
    drop_output,
    add_output,
    drop_attribute,
    add_attribute,
    change_attribute,
    reshape_constant,
    reshape_input,
    change_output,
)
