"""``python -m inference``."""

from distribute_lab.commands import inference

if __name__ == "__main__":
    inference()
