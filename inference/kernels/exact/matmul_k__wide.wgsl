// requires: fixed_point, k, activations, halves, halves_q8, weights_k, block_k, wide
// matmul_k of one token on GPUs: the same bits.
const TOKENS = 1u;
