// requires: fixed_point, q8, activations, halves, weights_q8, tile, tile_stage_q8, tile_tokens, tile_halves, tile_halves_q8
// matmul_q8 of many tokens on GPUs without dot4, 32 tokens by 32 rows a workgroup: the same bits.
const SIDE = 32u;
