// requires: fixed_point, activations, bytes, bytes_signed, bytes_k, narrow
// Activations as bytes, before matmul_k on GPUs with dot4.
