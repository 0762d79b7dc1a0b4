"""``python -m verification``."""

from distribute_lab.commands import verification

if __name__ == "__main__":
    verification()
