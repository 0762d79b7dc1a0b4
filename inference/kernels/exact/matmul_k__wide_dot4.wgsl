// requires: fixed_point, k, activations, bytes, bytes_signed, bytes_k, weights_k, block_k, wide
// matmul_k of one token on GPUs with dot4: the same bits.
const TOKENS = 1u;
