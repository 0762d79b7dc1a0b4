// requires: fixed_point, activations, bytes, bytes_q4, narrow
// Activations as bytes, even and odd ones apart, before matmul_q4 on GPUs with dot4.
