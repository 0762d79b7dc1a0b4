"""``python -m auction``."""

from auction.cli import app
from auction.terminal import run

if __name__ == "__main__":
    run(app)
