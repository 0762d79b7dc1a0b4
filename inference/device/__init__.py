"""Everything that touches WebGPU: adapters, pipelines, programs, reading back."""
