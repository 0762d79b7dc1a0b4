"""``python -m auction``."""

from distribute_lab.commands import auction

if __name__ == "__main__":
    auction()
