// requires: fixed_point, activations, halves, narrow
// Activations as half words, before matmul_q4 on GPUs without dot4.
