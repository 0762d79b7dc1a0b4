// requires: fixed_point, q4, activations, bytes, bytes_q4, weights_q4, block_q4, wide, wide_q4
// matmul_q4 of one token on GPUs with dot4: the same bits.
const TOKENS = 1u;
