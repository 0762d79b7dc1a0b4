"""``python -m experiments``."""

from auction.commands.terminal import run
from experiments.cli import app

if __name__ == "__main__":
    run(app)
