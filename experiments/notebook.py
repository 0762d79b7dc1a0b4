"""What notebooks show of a claim: the quoted sentence, what the published run came to, its pictures."""

from io import BytesIO
from pathlib import Path

import nbformat
import pandas as pd
import PIL.Image
from IPython.display import Image, Markdown, display
from matplotlib.figure import Figure
from nbclient import NotebookClient

from experiments import claims, published
from experiments.claims import Results
from experiments.progress import track

FOLDER = Path(__file__).parent / "notebooks"
DOTS = 64  # an inch: small pictures
COLOURS = 64  # of a picture: its few colours and their edges, in a third of the bytes


def show(name: str, results: Results | None = None) -> None:
    """Display a claim on the published results, or on others, as ``claims.load(name).run("tiny")`` returns them."""
    size = published.size_of(name) if results is None else published.DEFAULT
    found = published.results(name, size) if results is None else results
    for text in texts(name, found, size):
        display(Markdown(text))
    for caption, figure in claims.load(name).figures(found).items():
        display(_picture(figure, caption), Markdown(caption))


def texts(name: str, results: Results, size: str = published.DEFAULT) -> list[str]:
    """The sentence that a claim judges, or a finding's question; and what results of a size come to."""
    claim = claims.load(name)
    verdict = published.judged(name, results, size)
    quote = claim.FINDING if claims.is_finding(claim) else f"“{claim.STATEMENT}” (section {claim.SECTION})"
    said = " ".join(filter(None, (verdict.figure and f"{verdict.figure}.", verdict.explanation)))
    return [f"> {quote}", f"**{verdict.verdict}**{'' if size == published.DEFAULT else f' (size {size})'}: {said}"]


def verdicts() -> pd.DataFrame:
    """Every claim and finding with its verdict and figure, as published: of the largest size."""
    found = published.told()
    titles = [claims.load(name).TITLE for name in found.index]
    return pd.DataFrame({"claim": titles, "verdict": found["verdict"].tolist(), "figure": found["figure"].tolist()})


def _picture(figure: Figure, caption: str) -> Image:
    figure.set_facecolor("white")
    drawn, small = BytesIO(), BytesIO()
    figure.savefig(drawn, dpi=DOTS)
    image = PIL.Image.open(drawn).convert("RGB").quantize(COLOURS, dither=PIL.Image.Dither.NONE)
    image.save(small, "PNG", optimize=True)
    return Image(small.getvalue(), alt=caption)


def write() -> None:
    """Run the notebooks from top to bottom and keep what they show."""
    for path in track(sorted(FOLDER.glob("*.ipynb")), "notebooks"):
        notebook = nbformat.read(path, as_version=4)
        client = NotebookClient(
            notebook, timeout=600, record_timing=False, resources={"metadata": {"path": str(path.parent)}}
        )
        client.execute()
        notebook.metadata["language_info"] = {"name": "python"}  # not which release it ran on
        nbformat.write(notebook, path)
