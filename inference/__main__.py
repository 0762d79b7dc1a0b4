"""``python -m inference``."""

from inference.commands.cli import app, run

if __name__ == "__main__":
    run(app)
