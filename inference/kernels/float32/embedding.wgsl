// x[t, k] = E[token[t], k] = q·d, or q·d + m.
// tokens (T); q [tile of 8 rows][block][half][lane][4 words of 4 bytes]; blocks [tile][block][lane], d, or d of either half and m, in the
// room of four; output (T, K).
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
@group(0) @binding(3) var<storage, read> blocks: array<f32>;
@group(0) @binding(4) var<storage, read_write> output: array<f32>;
override lanes: u32 = 64u;

@compute @workgroup_size(lanes)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
    if (id.x >= params.count) { return; }
    let column = id.x % params.columns;
    let token = u32(tokens[id.x / params.columns] - max(params.first, 0i));
    if (params.first >= 0i && token >= params.table_rows) { // negative ones too
        output[id.x] = 0.0;
        return;
    }
    let block = (token / 8u) * (params.columns / 32u) + column / 32u;
    let within = column % 32u;
    let word = q[((block * 2u + within / 16u) * 8u + token % 8u) * 4u + (within % 16u) / 4u];
    let value = (bitcast<i32>(word) << (24u - 8u * (within % 4u))) >> 24u;
    let at = block * 8u + token % 8u;
    if (params.halves == 0u) {
        output[id.x] = f32(value) * blocks[at];
    } else {
        output[id.x] = f32(value) * blocks[4u * at + within / 16u] + blocks[4u * at + 2u];
    }
}
