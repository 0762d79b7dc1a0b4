// Rows of 4 bits times the activations of four tokens, gates and heads among them. Products are f32 and exact: of weights less 8, summed over 16
// of them, they stay within 2^22, in any order, fused or not.

// A block's activations: 4 by 4, a row a token; and of their sums A, |A| <= 2^20: 8 A, A >> 11, and the last 11 bits.
struct Block {
    first: array<mat4x4<f32>, 4>,
    second: array<mat4x4<f32>, 4>,
    centre: vec4<i32>,
    high: vec4<i32>,
    low: vec4<i32>,
}

// Eight activations of each of four tokens, turned to vectors of tokens.
struct Eight {
    first: mat4x4<f32>,
    second: mat4x4<f32>,
}

fn eight(at: vec4<u32>, i: u32) -> Eight {
    let a = workspace[at.x].x[i];
    let b = workspace[at.y].x[i];
    let c = workspace[at.z].x[i];
    let d = workspace[at.w].x[i];
    return Eight(transpose(mat4x4<f32>(low_halves(a), low_halves(b), low_halves(c), low_halves(d))),
                 transpose(mat4x4<f32>(high_halves(a), high_halves(b), high_halves(c), high_halves(d))));
}

// The activations of four tokens' blocks.
fn activations(at: vec4<u32>) -> Block {
    let p = eight(at, 0u);
    let q = eight(at, 1u);
    let r = eight(at, 2u);
    let s = eight(at, 3u);
    let sums = vec4<i32>(workspace[at.x].sum, workspace[at.y].sum, workspace[at.z].sum, workspace[at.w].sum);
    return Block(array<mat4x4<f32>, 4>(p.first, p.second, q.first, q.second), array<mat4x4<f32>, 4>(r.first, r.second, s.first, s.second),
                 sums * 8i, sums >> vec4<u32>(11u), sums & vec4<i32>(2047i));
}

// 16 products of one row for four tokens.
fn half(w: Half, x: array<mat4x4<f32>, 4>) -> vec4<i32> {
    return whole4(x[0] * w[0] + x[1] * w[1] + x[2] * w[2] + x[3] * w[3]);
}

// What a block of one row adds for four tokens, p its products.
fn scaled(p: vec4<i32>, step: i32, block: Block) -> vec4<i32> {
    let m = step >> 16u;
    return multiply_shift4(p, (step << 16u) >> 16u, 15u) + block.high * m + ((block.low * m) >> vec4<u32>(11u));
}

// The block at `at` of one row for four tokens, if it is there. Each part has a condition of its own: so it is compiled by itself, and its
// weights stay in registers.
fn term(at: u32, block: Block, there: bool) -> vec4<i32> {
    var p = block.centre;
    var y = vec4<i32>();
    if (there) { p += half(half_at(q[at].xy), block.first); }
    if (there) { p += half(half_at(q[at].zw), block.second); }
    if (there) { y = scaled(p, bitcast<i32>(blocks[at]), block); }
    return y;
}

@compute @workgroup_size(lanes)
fn product_and_gate(@builtin(global_invocation_id) id: vec3<u32>) {
    let token = place(id).x;
    let row = place(id).y;
    var acc: array<vec4<i32>, ROWS>;
    accumulate(token, row, &acc);
    let e = exponents(token);
    for (var c = 0u; c < 4u && token + c < params.tokens; c++) {
        for (var r = 0u; r < ROWS / 2u; r++) {
            let pair = r / 8u * 16u + r % 8u;
            let n = row + pair;
            if (n < params.outputs) {
                put_gate(requantise(acc[pair][c], rows[n], e[c]), requantise(acc[pair + 8u][c], rows[n + 8u], e[c]), n, token + c);
            }
        }
    }
}

@compute @workgroup_size(lanes)
fn product_and_rotation(@builtin(global_invocation_id) id: vec3<u32>) {
    let token = place(id).x;
    let row = place(id).y;
    var acc: array<vec4<i32>, ROWS>;
    accumulate(token, row, &acc);
    let e = exponents(token);
    for (var c = 0u; c < 4u && token + c < params.tokens; c++) {
        let at = places[token + c];
        for (var r = 0u; r < ROWS && row + r < params.outputs; r += 2u) {
            let n = row + r;
            let x = requantise(acc[r][c], rows[n], e[c]);
            let y = requantise(acc[r + 1u][c], rows[n + 1u], e[c]);
            put_pair(x, y, n, token + c, at);
        }
    }
}
