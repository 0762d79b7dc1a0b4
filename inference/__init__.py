"""Inference: language models as DAGs of WGSL kernels, in float32 and in integers that are the same bits everywhere."""

from inference import _interrupt  # noqa: F401 - before anything that takes time
