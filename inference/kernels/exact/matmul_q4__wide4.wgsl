// requires: fixed_point, q4, activations, halves, halves_q4, weights_q4, block_q4, wide, wide_q4
// matmul_q4 of four tokens on GPUs without dot4: the same bits.
const TOKENS = 4u;
