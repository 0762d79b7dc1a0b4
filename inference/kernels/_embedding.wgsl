// x[t, k] = E[token[t], k], or 0 where a part of a table has no row of the token, by a kernel's weight(row, column).
// tokens (T); q and blocks as a kernel says; output (T, K).
// One invocation a value.
struct Params {
    count: u32,   // T·K
    columns: u32, // K
    first: i32,   // row of the whole table that row 0 of this part is; -1: it is whole
    table_rows: u32,
    halves: u32,  // 1: a block of 8 bits has a step of each half, and an offset
}
@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> tokens: array<i32>;
@group(0) @binding(2) var<storage, read> q: array<u32>;
@group(0) @binding(3) var<storage, read> blocks: array<Word>;
@group(0) @binding(4) var<storage, read_write> output: array<Word>;
override lanes: u32 = 64u;

// Where a column's block lies among those before it, [tile of 8 rows][block].
fn block_of(row: u32, column: u32) -> u32 {
    return (row / 8u) * (params.columns / 32u) + column / 32u;
}

// The word with a weight of 8 bits, [tile][block][half][lane][4 words of 4 bytes].
fn word_of_8_bits(row: u32, column: u32) -> u32 {
    let within = column % 32u;
    return q[((block_of(row, column) * 2u + within / 16u) * 8u + row % 8u) * 4u + (within % 16u) / 4u];
}

// A weight of 4 bits, [tile][block][lane][4 words of 8 nibbles].
fn nibble(row: u32, column: u32) -> u32 {
    let word = q[(block_of(row, column) * 8u + row % 8u) * 4u + column % 32u / 8u];
    return extractBits(word, 4u * (column % 8u), 4u);
}

@compute @workgroup_size(lanes)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
    if (id.x >= params.count) { return; }
    let row = u32(tokens[id.x / params.columns] - max(params.first, 0i));
    if (params.first >= 0i && row >= params.table_rows) { // negative ones too
        output[id.x] = Word(0);
        return;
    }
    output[id.x] = weight(row, id.x % params.columns);
}
