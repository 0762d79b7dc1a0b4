// requires: fixed_point, q4, activations, halves, centred_q4, tokens, tokens_q4
// matmul_q4 for many tokens: the same bits. Two blocks at a time; invocations of neighbouring tokens are neighbours.

const ROWS = 64u;

fn place(id: vec3<u32>) -> vec2<u32> {
    let quads = (params.tokens + 3u) / 4u;
    return vec2<u32>(id.x % quads * 4u, id.x / quads * ROWS);
}

// The accumulators of 64 rows from `row` on and the four tokens from `token` on.
fn accumulate(token: u32, row: u32, acc: ptr<function, array<vec4<i32>, ROWS>>) {
    let count = params.columns / 32u;
    let last = (params.outputs - 1u) / 8u;
    let from_ = begins(token);
    for (var block = 0u; block < count; block += 2u) {
        let more = block + 1u < count;
        let x = activations(from_ + vec4<u32>(block));
        let y = activations(from_ + vec4<u32>(block + u32(more)));
        // Tiles beyond the last read the last and write nothing.
        for (var r = 0u; r < ROWS; r++) {
            let at = (min((row + r) / 8u, last) * count + block) * 8u + r % 8u;
            (*acc)[r] += term(at, x, block < count) + term(at + select(0u, 8u, more), y, more);
        }
    }
}
