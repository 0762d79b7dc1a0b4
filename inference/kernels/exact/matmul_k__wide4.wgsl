// requires: fixed_point, k, activations, halves, halves_q8, halves_k, weights_k, block_k, wide
// matmul_k of four tokens on GPUs without dot4: the same bits.
const TOKENS = 4u;
