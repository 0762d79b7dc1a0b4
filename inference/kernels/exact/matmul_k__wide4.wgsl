// requires: fixed_point, k, activations, halves, halves_q8, weights_k, block_k, wide
// matmul_k of four tokens on GPUs: the same bits.
const TOKENS = 4u;
