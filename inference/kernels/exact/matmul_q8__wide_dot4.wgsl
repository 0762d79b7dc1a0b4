// requires: fixed_point, q8, activations, bytes, bytes_signed, bytes_q8, weights_q8, block_q8, wide
// matmul_q8 of one token on GPUs with dot4: the same bits.
const TOKENS = 1u;
