// requires: fixed_point, q4, loaded_q4, tokens, tokens_q4
// matmul_q4 for many tokens: the same bits. Two blocks at a time; invocations of neighbouring tokens are neighbours.

const ROWS = 64u;

fn place(id: vec3<u32>) -> vec2<u32> {
    let quads = (params.tokens + 3u) / 4u;
    return vec2<u32>(id.x % quads * 4u, id.x / quads * ROWS);
}

// The accumulators of 64 rows from `row` on and the four tokens from `token` on.
fn accumulate(token: u32, row: u32, e: vec4<i32>, acc: ptr<function, array<vec4<i32>, ROWS>>) {
    let count = params.columns / 32u;
    let last = (params.outputs - 1u) / 8u;
    // Tiles beyond the last read the last and write nothing.
    let from_ = begins(token);
    for (var block = 0u; block < count; block += 2u) {
        let x = activations(from_, e, block, count);
        let y = activations(from_, e, block + 1u, count);
        for (var r = 0u; r < ROWS; r++) {
            let tile = min((row + r) / 8u, last) * count;
            let at = (vec2<u32>(tile) + min(vec2<u32>(block) + vec2<u32>(0u, 1u), vec2<u32>(count - 1u))) * 8u + r % 8u;
            (*acc)[r] += term(q[at.x], blocks[at.x], x) + term(q[at.y], blocks[at.y], y);
        }
    }
}
