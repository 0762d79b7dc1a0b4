// requires: fixed_point, activations, halves, narrow
// Activations as half words, before matmul_k on GPUs without dot4.
