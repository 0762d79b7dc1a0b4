// Rows of 8 bits times the activations of four tokens, by a kernel's term(low, high, at, total, x..). Sums of |q·a| over a block stay
// below 2^28. Invocations of neighbouring tokens are neighbours.

const ROWS = 64u;

fn place(id: vec3<u32>) -> vec2<u32> {
    let quads = (params.tokens + 3u) / 4u;
    return vec2<u32>(id.x % quads * 4u, id.x / quads * ROWS);
}

alias Turned = array<vec4<i32>, 4>;

// Four activations of each of four tokens, token by token, turned to four vectors of a token each.
fn turned(x: vec4<u32>, e: vec4<i32>) -> Turned {
    let t = loaded(x.x, e.x);
    let u = loaded(x.y, e.y);
    let v = loaded(x.z, e.z);
    let w = loaded(x.w, e.w);
    return Turned(vec4<i32>(t.x, u.x, v.x, w.x), vec4<i32>(t.y, u.y, v.y, w.y), vec4<i32>(t.z, u.z, v.z, w.z), vec4<i32>(t.w, u.w, v.w, w.w));
}

// Four weights times 4 activations of each token.
fn quarter(word: u32, x: Turned) -> vec4<i32> {
    let w = bytes(word);
    return x[0] * w.x + x[1] * w.y + x[2] * w.z + x[3] * w.w;
}

fn sums(x: Turned) -> vec4<i32> {
    return x[0] + x[1] + x[2] + x[3];
}

// The accumulators of 64 rows from `row` on and the four tokens from `token` on.
fn accumulate(token: u32, row: u32, e: vec4<i32>, acc: ptr<function, array<vec4<i32>, ROWS>>) {
    let count = params.columns / 32u;
    let last = (params.outputs - 1u) / 8u;
    // Tiles beyond the last read the last and write nothing.
    var at = begins(token);
    for (var block = 0u; block < count; block++) {
        let x0 = turned(at, e);
        let x1 = turned(at + 1u, e);
        let x2 = turned(at + 2u, e);
        let x3 = turned(at + 3u, e);
        let x4 = turned(at + 4u, e);
        let x5 = turned(at + 5u, e);
        let x6 = turned(at + 6u, e);
        let x7 = turned(at + 7u, e);
        let total = sums(x0) + sums(x1) + sums(x2) + sums(x3) + sums(x4) + sums(x5) + sums(x6) + sums(x7);
        for (var r = 0u; r < ROWS; r++) {
            let tile = min((row + r) / 8u, last);
            let place = (tile * count + block) * 16u + r % 8u;
            let low = q[place];
            let high = q[place + 8u];
            (*acc)[r] += term(low, high, (tile * count + block) * 8u + r % 8u, total, x0, x1, x2, x3, x4, x5, x6, x7);
        }
        at += vec4<u32>(8u);
    }
}
