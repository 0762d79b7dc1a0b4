"""The four commands: ``distribute-auction`` is ``python -m auction``, and so on."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated

from distribute_lab import __version__

if TYPE_CHECKING:
    from typer import Typer

BAD_INPUT = 2
PACKAGES = ("auction", "inference", "verification", "experiments")


def auction() -> None:
    """Run ``distribute-auction``."""
    with _imports("auction"):
        from auction.commands.cli import app
        from auction.commands.terminal import run
    run(_with_version(app))


def inference() -> None:
    """Run ``distribute-inference``."""
    with _imports("inference"):
        from inference.commands.cli import app, run
    run(_with_version(app))


def verification() -> None:
    """Run ``distribute-verification``, over the models of inference."""
    with _imports("verification"):
        from inference.errors import InputError
        from verification.cli import application, run
        from verification.inference_models import Models
    run(_with_version(application(Models())), InputError)


def experiments() -> None:
    """Run ``distribute-experiments``."""
    with _imports("experiments"):
        from auction.commands.terminal import run
        from experiments.cli import app
    run(_with_version(app))


@contextmanager
def _imports(extra: str) -> Iterator[None]:
    """Exit with code 2 and one line where an extra is not installed, with 130 where its imports are interrupted."""
    name, sys.argv[0] = sys.argv[0], "-m"  # as under `python -m`, where the packages see to interrupts themselves
    try:
        yield
    except ModuleNotFoundError as missing:
        module = missing.name or ""
        if module.partition(".")[0] in PACKAGES:
            raise
        print(f"error: {module} is not installed: pip install 'distribute-lab[{extra}]'", file=sys.stderr)
        sys.exit(BAD_INPUT)
    finally:
        sys.argv[0] = name


def _with_version(app: "Typer") -> "Typer":
    """The commands, with ``--version``."""
    import typer

    def show(asked: bool) -> None:
        if asked:
            print(f"distribute-lab {__version__}")
            raise typer.Exit

    @app.callback()
    def options(
        version: Annotated[
            bool, typer.Option("--version", help="print the version and exit", callback=show, is_eager=True)
        ] = False,
    ) -> None: ...

    return app
