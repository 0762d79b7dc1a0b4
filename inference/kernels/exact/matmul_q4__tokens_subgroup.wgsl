// requires: fixed_point, q4, activations, halves, centred_q4, tokens, tokens_q4, eight_lanes
// matmul_q4 for many tokens where subgroups have 8 lanes or more: the same bits. A lane takes one row's weights of a block apart and the
// others read them from it. Three blocks at a time; a workgroup's invocations share the rows.

const ROWS = 192u;

fn place(id: vec3<u32>) -> vec2<u32> {
    return vec2<u32>(id.x * 4u, id.y * ROWS);
}

// A block of a row, as a lane has it for the others.
struct Row {
    first: Half,
    second: Half,
    step: i32,
}

fn row_at(at: u32) -> Row {
    let words = q[at];
    return Row(half_at(words.xy), half_at(words.zw), bitcast<i32>(blocks[at]));
}

fn half_of(lane: u32, mine: Half) -> Half {
    return Half(subgroupShuffle(mine[0], lane), subgroupShuffle(mine[1], lane), subgroupShuffle(mine[2], lane), subgroupShuffle(mine[3], lane));
}

// As term, of what a lane has.
fn term_of(lane: u32, mine: Row, block: Block, there: bool) -> vec4<i32> {
    var p = block.centre;
    var y = vec4<i32>();
    if (there) { p += half(half_of(lane, mine.first), block.first); }
    if (there) { p += half(half_of(lane, mine.second), block.second); }
    if (there) { y = scaled(p, subgroupShuffle(mine.step, lane), block); }
    return y;
}

// The accumulators of 192 rows from `row` on and the four tokens from `token` on.
fn accumulate(token: u32, row: u32, acc: ptr<function, array<vec4<i32>, ROWS>>) {
    let together = eight_lanes();
    let part = lane_of_eight();
    let count = params.columns / 32u;
    let last = (params.outputs - 1u) / 8u;
    let from_ = begins(token);
    for (var block = 0u; block < count; block += 3u) {
        let there = vec3<u32>(block) + vec3<u32>(0u, 1u, 2u) < vec3<u32>(count);
        let next = min(vec3<u32>(block) + vec3<u32>(0u, 1u, 2u), vec3<u32>(count - 1u));
        let x = activations(from_ + vec4<u32>(next.x));
        let y = activations(from_ + vec4<u32>(next.y));
        let z = activations(from_ + vec4<u32>(next.z));
        for (var tile = 0u; tile < ROWS / 8u; tile++) {
            // Tiles beyond the last read the last and write nothing.
            let at = (vec3<u32>(min(row / 8u + tile, last) * count) + next) * 8u;
            if (together) {
                let u = row_at(at.x + part);
                let v = row_at(at.y + part);
                let w = row_at(at.z + part);
                for (var r = 0u; r < 8u; r++) {
                    (*acc)[tile * 8u + r] += term_of(r, u, x, there.x) + term_of(r, v, y, there.y) + term_of(r, w, z, there.z);
                }
            } else {
                for (var r = 0u; r < min(params.outputs, 8u); r++) {
                    (*acc)[tile * 8u + r] += term(at.x + r, x, there.x) + term(at.y + r, y, there.y) + term(at.z + r, z, there.z);
                }
            }
        }
    }
}
