// Rows of 8 bits times the activations of four tokens, by a kernel's term(low, high, at, total, x..). Sums of |q·a| over a block stay
// below 2^28. Invocations of neighbouring tokens are neighbours.

const ROWS = 64u;

fn place(id: vec3<u32>) -> vec2<u32> {
    let quads = (params.tokens + 3u) / 4u;
    return vec2<u32>(id.x % quads * 4u, id.x / quads * ROWS);
}

alias Turned = array<vec4<i32>, 4>;

// Eight activations of each of four tokens, turned to four vectors of a token each, twice.
struct Eight {
    first: Turned,
    second: Turned,
}

fn eight(at: vec4<u32>, i: u32) -> Eight {
    let t = workspace[at.x].x[i];
    let u = workspace[at.y].x[i];
    let v = workspace[at.z].x[i];
    let w = workspace[at.w].x[i];
    return Eight(Turned(low(t.x, u.x, v.x, w.x), low(t.y, u.y, v.y, w.y), low(t.z, u.z, v.z, w.z), low(t.w, u.w, v.w, w.w)),
                 Turned(high(t.x, u.x, v.x, w.x), high(t.y, u.y, v.y, w.y), high(t.z, u.z, v.z, w.z), high(t.w, u.w, v.w, w.w)));
}

fn low(t: u32, u: u32, v: u32, w: u32) -> vec4<i32> {
    return (bitcast<vec4<i32>>(vec4<u32>(t, u, v, w)) << vec4<u32>(16u)) >> vec4<u32>(16u);
}

fn high(t: u32, u: u32, v: u32, w: u32) -> vec4<i32> {
    return bitcast<vec4<i32>>(vec4<u32>(t, u, v, w)) >> vec4<u32>(16u);
}

// Four weights times 4 activations of each token.
fn quarter(word: u32, x: Turned) -> vec4<i32> {
    let w = bytes(word);
    return x[0] * w.x + x[1] * w.y + x[2] * w.z + x[3] * w.w;
}

// The accumulators of 64 rows from `row` on and the four tokens from `token` on.
fn accumulate(token: u32, row: u32, acc: ptr<function, array<vec4<i32>, ROWS>>) {
    let count = params.columns / 32u;
    let last = (params.outputs - 1u) / 8u;
    // Tiles beyond the last read the last and write nothing.
    var at = begins(token);
    for (var block = 0u; block < count; block++) {
        let x = eight(at, 0u);
        let y = eight(at, 1u);
        let z = eight(at, 2u);
        let w = eight(at, 3u);
        let total = vec4<i32>(workspace[at.x].sum, workspace[at.y].sum, workspace[at.z].sum, workspace[at.w].sum);
        for (var r = 0u; r < ROWS; r++) {
            let tile = min((row + r) / 8u, last);
            let place = (tile * count + block) * 16u + r % 8u;
            let low = q[place];
            let high = q[place + 8u];
            (*acc)[r] += term(low, high, (tile * count + block) * 8u + r % 8u, total, x.first, x.second, y.first, y.second, z.first, z.second, w.first, w.second);
        }
        at += vec4<u32>(1u);
    }
}
