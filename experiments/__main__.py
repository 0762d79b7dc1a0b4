"""``python -m experiments``."""

from distribute_lab.commands import experiments

if __name__ == "__main__":
    experiments()
