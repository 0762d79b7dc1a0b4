"""Notebooks define nothing, run from top to bottom, and show what is published."""

import re
from collections import Counter
from io import BytesIO
from pathlib import Path

import nbformat
import PIL.Image
import pytest
from jupyter_client.manager import KernelManager
from nbclient import NotebookClient
from nbformat.v4 import new_code_cell

from experiments import claims, notebook, plots, published

NOTEBOOKS = sorted(notebook.FOLDER.glob("*.ipynb"))
SHOWN = re.compile(r'^show\("(\w+)"\)$', re.MULTILINE)
PRELUDE = """
%reset -f
import pickle
from pathlib import Path
import pandas as pd
from experiments import claims, published
folder = Path({folder!r})
published.size_of = lambda name: published.DEFAULT
published.results = lambda name, size: pickle.loads((folder / (name + ".pickle")).read_bytes())
published.verdicts = lambda size: pd.DataFrame({{"claim": claims.names(), "verdict": "", "figure": ""}})
"""
"""What claims find at size tiny is found once in all tests: the notebooks' kernel is given it as published."""


def codes(path: Path) -> list[nbformat.NotebookNode]:
    return [cell for cell in nbformat.read(path, as_version=4).cells if cell.cell_type == "code"]


@pytest.fixture(scope="module")
def kernel():
    """One for all: what they import is imported once, and each begins without the names of those before."""
    manager = KernelManager()
    yield manager
    manager.shutdown_kernel(now=True)


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_notebook_defines_nothing_and_runs(path, tiny, tiny_folder, kernel):
    read = nbformat.read(path, as_version=4)
    cells = [cell for cell in read.cells if cell.cell_type == "code"]
    assert not any("def " in cell.source or "class " in cell.source for cell in cells)
    shown = [name for cell in cells for name in SHOWN.findall(cell.source)]
    assert shown
    for name in shown:
        tiny(name)
    read.cells.insert(0, new_code_cell(PRELUDE.format(folder=str(tiny_folder))))
    client = NotebookClient(read, kernel, timeout=600, resources={"metadata": {"path": str(path.parent)}})
    client.execute()
    client.kc.stop_channels()
    assert sum(bool(cell.outputs) for cell in cells) >= len(cells) - 1
    for cell in cells:
        for name in SHOWN.findall(cell.source):
            assert markdown(cell)[:2] == notebook.texts(name, tiny(name))
            assert sum("image/png" in output.get("data", {}) for output in cell.outputs) == len(markdown(cell)) - 2


def markdown(cell: nbformat.NotebookNode) -> list[str]:
    """The texts that a cell shows."""
    return ["".join(o.data["text/markdown"]) for o in cell.outputs if "text/markdown" in o.get("data", {})]


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_notebook_shows_what_is_published(path):
    there = set(published.verdicts()["claim"])
    for cell in codes(path):
        for name in there & set(SHOWN.findall(cell.source)):
            size = published.size_of(name)
            assert markdown(cell)[:2] == notebook.texts(name, published.results(name, size), size), "make notebooks"
    last = codes(path)[-1].outputs[0].data["text/html"]
    assert all(last.count(f"<td>{verdict}</td>") == n for verdict, n in Counter(notebook.verdicts()["verdict"]).items())
    assert path.stat().st_size < 1_000_000


def test_a_picture_is_small_and_the_same_at_every_run():
    figure, (axes,) = plots.canvas()
    axes.plot([0, 1], [1, 0], color=plots.PALETTE[0])
    first, second = (notebook._picture(figure, "a line").data for _ in range(2))
    drawn = BytesIO()
    figure.savefig(drawn, dpi=notebook.DOTS)
    assert first == second and len(first) < len(drawn.getvalue()) / 2
    image = PIL.Image.open(BytesIO(first))
    assert image.size == PIL.Image.open(drawn).size and len(image.getcolors()) <= notebook.COLOURS


def test_every_claim_stands_in_a_notebook():
    shown = [name for path in NOTEBOOKS for cell in codes(path) for name in SHOWN.findall(cell.source)]
    assert sorted(shown) == sorted(claims.names())
