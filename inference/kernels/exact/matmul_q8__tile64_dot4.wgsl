// requires: fixed_point, q8, activations, bytes, bytes_signed, bytes_q8, weights_q8, tile, tile_stage_q8, tile_bytes, tile_bytes_q8
// matmul_q8 of many tokens on GPUs with dot4, 64 tokens by 64 rows a workgroup: the same bits.
const SIDE = 64u;
