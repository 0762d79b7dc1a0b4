"""Notebooks are committed without outputs and run from top to bottom."""

import pickle
from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient
from nbformat.v4 import new_code_cell

from experiments import claims

NOTEBOOKS = sorted((Path(__file__).parents[2] / "experiments" / "notebooks").glob("*.ipynb"))
PRELUDE = """
import pickle
from pathlib import Path
from experiments import claims
for path in Path({folder!r}).glob("*.pickle"):
    claims.load(path.stem).run = {{"tiny": pickle.loads(path.read_bytes())}}.__getitem__
"""
"""What claims find at size tiny is found once in all tests: the notebook's kernel is given it."""


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_notebook_defines_nothing_carries_no_outputs_and_runs(path, tiny, tmp_path):
    notebook = nbformat.read(path, as_version=4)
    cells = [cell for cell in notebook.cells if cell.cell_type == "code"]
    assert all(not cell.outputs and cell.execution_count is None for cell in cells)
    assert not any("def " in cell.source or "class " in cell.source for cell in cells)
    run = [name for name in claims.names() if any(f"{name}.run(size)" in cell.source for cell in cells)]
    assert run
    for name in run:
        (tmp_path / f"{name}.pickle").write_bytes(pickle.dumps(tiny(name)))
    notebook.cells.insert(0, new_code_cell(PRELUDE.format(folder=str(tmp_path))))
    NotebookClient(notebook, timeout=600, resources={"metadata": {"path": str(path.parent)}}).execute()
    assert sum(bool(cell.outputs) for cell in cells) >= len(cells) - 1


def test_every_claim_stands_in_a_notebook():
    sources = [cell.source for path in NOTEBOOKS for cell in nbformat.read(path, as_version=4).cells]
    assert all(any(f"{name}.run(size)" in source for source in sources) for name in claims.names())
