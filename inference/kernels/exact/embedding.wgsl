// requires: fixed_point
// x[t, k] = E[token[t], k] = (q·D + 16·M)·sigma: round_shift(mul16((q·D + 16·M) << 8, mantissa), shift).
// tokens (T); q [tile of 8 rows][block][half][lane][4 words of 4 bytes]; blocks [tile][block][lane], D, or D of the first half low and of
// the second high, then M low; rows (V, 2); output (T, K).
// One invocation a value.
struct Params {
    count: u32,   // T·K
    columns: u32, // K
    first: i32,   // row of the whole table that row 0 of this part is; -1: it is whole
    table_rows: u32,
    halves: u32,  // 1: a block has a step of each half, and an offset
}
@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> tokens: array<i32>;
@group(0) @binding(2) var<storage, read> q: array<u32>;
@group(0) @binding(3) var<storage, read> blocks: array<i32>;
@group(0) @binding(4) var<storage, read> rows: array<vec2<i32>>;
@group(0) @binding(5) var<storage, read_write> output: array<i32>;
override lanes: u32 = 64u;

@compute @workgroup_size(lanes)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
    if (id.x >= params.count) { return; }
    let column = id.x % params.columns;
    let token = u32(tokens[id.x / params.columns] - max(params.first, 0i));
    if (params.first >= 0i && token >= params.table_rows) { // negative ones too
        output[id.x] = 0;
        return;
    }
    let block = (token / 8u) * (params.columns / 32u) + column / 32u;
    let within = column % 32u;
    let word = q[((block * 2u + within / 16u) * 8u + token % 8u) * 4u + (within % 16u) / 4u];
    let at = block * 8u + token % 8u;
    var value = bytes(word)[within % 4u];
    if (params.halves == 0u) {
        value *= blocks[at];
    } else {
        let steps = blocks[2u * at];
        value = value * select((steps << 16u) >> 16u, steps >> 16u, within >= 16u) + 16i * ((blocks[2u * at + 1u] << 16u) >> 16u);
    }
    output[id.x] = requantise(value << 8u, rows[token], 0i);
}
