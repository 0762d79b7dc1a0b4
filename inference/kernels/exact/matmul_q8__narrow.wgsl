// requires: fixed_point, activations, halves, narrow
// Activations as half words, before matmul_q8 on GPUs without dot4.
