// requires: fixed_point, activations, bytes, bytes_signed, bytes_q8, narrow
// Activations as bytes, before matmul_q8 on GPUs with dot4.
