// Rows of 4 bits times the activations of four tokens, gates and heads among them. Activations are held as f32: q·a summed over 8
// weights stays below 2^22, so every product and sum is exact in any order, fused or not.

// A block's activations: 4 by 4, a row a token, and their sums, below 2^20.
struct Block {
    x: array<mat4x4<f32>, 8>,
    sums: vec4<i32>,
}

// Four activations of each of four tokens, token by token, turned to a vector of tokens each.
fn turned(at: vec4<u32>, e: vec4<i32>, factor: f32) -> mat4x4<f32> {
    return transpose(mat4x4<f32>(loaded(at.x, e.x), loaded(at.y, e.y), loaded(at.z, e.z), loaded(at.w, e.w))) * factor;
}

// The activations of a block, or zeros beyond the last.
fn activations(from_: vec4<u32>, e: vec4<i32>, block: u32, count: u32) -> Block {
    let at = from_ + vec4<u32>(min(block, count - 1u) * 8u);
    let factor = f32(block < count);
    let x = array<mat4x4<f32>, 8>(turned(at, e, factor), turned(at + 1u, e, factor), turned(at + 2u, e, factor), turned(at + 3u, e, factor),
                                  turned(at + 4u, e, factor), turned(at + 5u, e, factor), turned(at + 6u, e, factor), turned(at + 7u, e, factor));
    let sums = (x[0] + x[1] + x[2] + x[3] + x[4] + x[5] + x[6] + x[7]) * vec4<f32>(1.0);
    return Block(x, whole4(sums));
}

// A word's weights times 8 activations of each token.
fn eighth(word: u32, x: mat4x4<f32>, y: mat4x4<f32>) -> vec4<i32> {
    return whole4(x * nibbles(word) + y * nibbles(word >> 16u));
}

// One block of one row for four tokens.
fn term(w: vec4<u32>, scales: u32, block: Block) -> vec4<i32> {
    let step = bitcast<i32>(scales);
    let p = eighth(w.x, block.x[0], block.x[1]) + eighth(w.y, block.x[2], block.x[3])
          + eighth(w.z, block.x[4], block.x[5]) + eighth(w.w, block.x[6], block.x[7]);
    return multiply_shift4(p, (step << 16u) >> 16u, 15u) + multiply_shift4(block.sums, step >> 16u, 11u);
}

@compute @workgroup_size(lanes)
fn product_and_gate(@builtin(global_invocation_id) id: vec3<u32>) {
    let token = place(id).x;
    let row = place(id).y;
    var acc: array<vec4<i32>, ROWS>;
    let e = exponents(token);
    accumulate(token, row, e, &acc);
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
    let e = exponents(token);
    accumulate(token, row, e, &acc);
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
