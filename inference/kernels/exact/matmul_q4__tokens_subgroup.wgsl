// requires: fixed_point, q4, loaded_q4, tokens, tokens_q4, eight_lanes
// matmul_q4 for many tokens where subgroups have 8 lanes or more: the same bits. A lane loads one row's weights of a block and the
// others read them from it. Three blocks at a time; a workgroup's invocations share the rows.

const ROWS = 96u;

fn place(id: vec3<u32>) -> vec2<u32> {
    return vec2<u32>(id.x * 4u, id.y * ROWS);
}

// The weights and scales of a row in three blocks.
struct Row {
    q: array<vec4<u32>, 3>,
    blocks: vec3<u32>,
}

fn row_at(at: vec3<u32>) -> Row {
    return Row(array<vec4<u32>, 3>(q[at.x], q[at.y], q[at.z]), vec3<u32>(blocks[at.x], blocks[at.y], blocks[at.z]));
}

// What a lane loaded.
fn row_of(lane: u32, mine: Row) -> Row {
    return Row(array<vec4<u32>, 3>(subgroupShuffle(mine.q[0], lane), subgroupShuffle(mine.q[1], lane), subgroupShuffle(mine.q[2], lane)),
               subgroupShuffle(mine.blocks, lane));
}

// Three blocks of a row for four tokens.
fn terms(w: Row, x: Block, y: Block, z: Block) -> vec4<i32> {
    return term(w.q[0], w.blocks.x, x) + term(w.q[1], w.blocks.y, y) + term(w.q[2], w.blocks.z, z);
}

// The accumulators of 96 rows from `row` on and the four tokens from `token` on.
fn accumulate(token: u32, row: u32, e: vec4<i32>, acc: ptr<function, array<vec4<i32>, ROWS>>) {
    let together = eight_lanes();
    let part = lane_of_eight();
    let count = params.columns / 32u;
    let last = (params.outputs - 1u) / 8u;
    // Tiles beyond the last read the last and write nothing.
    let from_ = begins(token);
    for (var block = 0u; block < count; block += 3u) {
        let x = activations(from_, e, block, count);
        let y = activations(from_, e, block + 1u, count);
        let z = activations(from_, e, block + 2u, count);
        for (var tile = 0u; tile < ROWS / 8u; tile++) {
            let first = min(row / 8u + tile, last) * count;
            let at = (vec3<u32>(first) + min(vec3<u32>(block) + vec3<u32>(0u, 1u, 2u), vec3<u32>(count - 1u))) * 8u;
            if (together) {
                let mine = row_at(at + part);
                for (var r = 0u; r < 8u; r++) { (*acc)[tile * 8u + r] += terms(row_of(r, mine), x, y, z); }
            } else {
                for (var r = 0u; r < min(params.outputs, 8u); r++) { (*acc)[tile * 8u + r] += terms(row_at(at + r), x, y, z); }
            }
        }
    }
}
