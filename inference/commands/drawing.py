"""A graph drawn for people: an SVG, one row a depth, weights left out, a layer that repeats drawn once."""

import re
from html import escape

import networkx as nx

from inference import ops
from inference.graph import cost, described, schedule

WIDTH, HEIGHT, GAP_X, GAP_Y = 400, 44, 20, 26
COLOUR = "#eee"  # of an op that has none of its own
LAYER = re.compile(r"layer(\d+)x?\.")


def draw(graph: nx.DiGraph) -> str:
    """The graph as SVG: each op's name, kind, output and multiply-accumulates.

    Layers 1, 2, .. are the same as layer 0 but for their weights: the first is drawn, with how often it comes.
    """
    layers = {match[1] for name in graph if (match := LAYER.match(name))}
    last = f"layer{max(layers)}" if layers else ""
    shown = [name for name in schedule(graph) if not (match := LAYER.match(name)) or int(match[1]) == 0]
    costs = cost(graph)
    depth: dict[str, int] = {}
    rows: list[list[str]] = []
    edges: list[tuple[str, str]] = []
    for name in shown:
        sources = [
            source.replace(last, "layer" + "0" * len(max(layers))) if layers else source
            for source in graph.nodes[name]["inputs"]
        ]
        sources = [source for source in sources if source in depth]
        edges += [(source, name) for source in sources]
        depth[name] = 1 + max((depth[source] for source in sources), default=-1)
        rows += [[] for _ in range(depth[name] + 1 - len(rows))]
        rows[depth[name]].append(name)
    wide = max(len(row) for row in rows)
    position = {
        name: (
            int((wide - len(row)) * (WIDTH + GAP_X) / 2) + column * (WIDTH + GAP_X) + GAP_X,
            level * (HEIGHT + GAP_Y) + GAP_Y,
        )
        for level, row in enumerate(rows)
        for column, name in enumerate(row)
    }
    parts = [_edge(position[source], position[name]) for source, name in edges]
    parts += [_box(graph, name, position[name], costs[name].operations) for name in shown]
    inside = [position[name][1] for name in shown if LAYER.match(name)]
    width, height = wide * (WIDTH + GAP_X) + GAP_X + 90, len(rows) * (HEIGHT + GAP_Y) + GAP_Y
    if inside:
        top, bottom = min(inside), max(inside) + HEIGHT
        parts.append(
            f'<rect x="6" y="{top - 12}" width="{width - 12}" height="{bottom - top + 24}" '
            f'fill="none" stroke="#888" stroke-dasharray="5 4"/>'
            f'<text x="{width - 70}" y="{(top + bottom) // 2}" font-size="20">× {len(layers)}</text>'
        )
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" '
        f'font-family="sans-serif" font-size="12">\n' + "\n".join(parts) + "\n</svg>\n"
    )


def _edge(source: tuple[int, int], target: tuple[int, int]) -> str:
    if target[1] - source[1] > HEIGHT + GAP_Y:  # past other ops: around them on the right
        x, y, to_x, to_y = source[0] + WIDTH, source[1] + HEIGHT // 2, target[0] + WIDTH, target[1] + HEIGHT // 2
        bend = max(x, to_x) + WIDTH * 9 // 10
        return f'<path d="M {x} {y} C {bend} {y}, {bend} {to_y}, {to_x} {to_y}" fill="none" stroke="#555"/>'
    (x, y), (to_x, to_y) = (source[0] + WIDTH // 2, source[1] + HEIGHT), (target[0] + WIDTH // 2, target[1])
    middle = (y + to_y) // 2
    path = f"M {x} {y} C {x} {middle}, {to_x} {middle}, {to_x} {to_y}"
    return f'<path d="{path}" fill="none" stroke="#555"/>'


def _box(graph: nx.DiGraph, name: str, position: tuple[int, int], operations: int) -> str:
    node, (x, y) = graph.nodes[name], position
    colour = getattr(ops.load(node["op"]), "COLOUR", COLOUR)
    shape = " × ".join(str(n) for n in node["shape"])
    state = f", kept in {node['state']}" if node["state"] else ""
    return (
        f"<g><title>{escape(name + state)}</title>"
        f'<rect x="{x}" y="{y}" width="{WIDTH}" height="{HEIGHT}" rx="5" fill="{colour}" '
        f'stroke="#555"/>'
        f'<text x="{x + 8}" y="{y + 18}" font-weight="bold">{escape(LAYER.sub("", name))}</text>'
        f'<text x="{x + 8}" y="{y + 35}">{escape(described(node))} → {shape} · {operations:,}</text></g>'
    )
