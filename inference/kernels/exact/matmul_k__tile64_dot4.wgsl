// requires: fixed_point, k, activations, bytes, bytes_signed, bytes_k, weights_k, block_k, tile, tile_stage_k, tile_bytes, tile_bytes_k
// matmul_k of many tokens on GPUs with dot4, 64 tokens by 64 rows a workgroup: the same bits.
const SIDE = 64u;
