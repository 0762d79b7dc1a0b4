"""Inference: a Llama model as a DAG of WGSL kernels, in float32 and in integers that are the same bits everywhere."""
