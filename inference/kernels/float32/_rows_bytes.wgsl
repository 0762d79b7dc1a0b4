// y[t, n] = sum_k W[n, k] a[t, k] (+ residual) by rows of 8 bits, by a kernel's term(first, second, at, x): an invocation makes 4 rows of
// y, 8 apart, of one token: activations are read once for the four.
struct Params {
    columns: u32, // K
    outputs: u32, // N
}
@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> a: array<vec4<f32>>;
@group(0) @binding(2) var<storage, read> q: array<vec4<u32>>;
@group(0) @binding(4) var<storage, read> residual: array<f32>;
@group(0) @binding(5) var<storage, read_write> output: array<f32>;
override lanes: u32 = 64u;

// The four bytes of a word, signed, the lowest first.
fn bytes(word: u32) -> vec4<f32> {
    return vec4<f32>((vec4<i32>(bitcast<i32>(word)) << vec4<u32>(24u, 16u, 8u, 0u)) >> vec4<u32>(24u));
}

// The sums of the four rows.
fn accumulate(id: vec3<u32>) -> vec4<f32> {
    let count = params.columns / 32u;
    let last = (params.outputs - 1u) / 8u;
    let lane = id.x % 8u;
    let tile = vec4<u32>(id.x / 8u * 4u) + vec4<u32>(0u, 1u, 2u, 3u);
    // Tiles beyond the last read the last and write nothing.
    var block = min(tile, vec4<u32>(last)) * count;
    var from_ = id.y * (params.columns / 4u);
    var sum = vec4<f32>(0.0);
    for (var i = 0u; i < count; i++) {
        let x = array<vec4<f32>, 8>(a[from_], a[from_ + 1u], a[from_ + 2u], a[from_ + 3u],
                                    a[from_ + 4u], a[from_ + 5u], a[from_ + 6u], a[from_ + 7u]);
        let at = block * 16u + lane;
        let step = block * 8u + lane;
        sum += vec4<f32>(term(q[at.x], q[at.x + 8u], step.x, x), term(q[at.y], q[at.y + 8u], step.y, x),
                         term(q[at.z], q[at.z + 8u], step.z, x), term(q[at.w], q[at.w + 8u], step.w, x));
        block += vec4<u32>(1u);
        from_ += 8u;
    }
    return sum;
}

@compute @workgroup_size(lanes)
fn product(@builtin(global_invocation_id) id: vec3<u32>) {
    let sum = accumulate(id);
    for (var r = 0u; r < 4u; r++) {
        let n = (id.x / 8u * 4u + r) * 8u + id.x % 8u;
        if (n < params.outputs) { output[id.y * params.outputs + n] = sum[r]; }
    }
}

@compute @workgroup_size(lanes)
fn product_and_residual(@builtin(global_invocation_id) id: vec3<u32>) {
    let sum = accumulate(id);
    for (var r = 0u; r < 4u; r++) {
        let n = (id.x / 8u * 4u + r) * 8u + id.x % 8u;
        if (n < params.outputs) {
            let y = id.y * params.outputs + n;
            output[y] = residual[y] + sum[r];
        }
    }
}
