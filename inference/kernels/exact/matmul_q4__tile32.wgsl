// requires: fixed_point, q4, activations, halves, weights_q4, tile, tile_stage_q4, tile_tokens, tile_halves, tile_halves_q4, tile_q4
// matmul_q4 of many tokens on GPUs without dot4, 32 tokens by 32 rows a workgroup: the same bits.
const SIDE = 32u;
