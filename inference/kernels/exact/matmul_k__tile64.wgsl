// requires: fixed_point, k, activations, halves, weights_k, tile, tile_stage_k, tile_tokens, tile_halves_k
// matmul_k of many tokens on GPUs without dot4, 64 tokens by 64 rows a workgroup: the same bits.
const SIDE = 64u;
