"""``python -m auction``."""

from auction.commands.cli import app
from auction.commands.terminal import run

if __name__ == "__main__":
    run(app)
