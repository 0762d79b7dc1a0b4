// y[t, n] = sum_k W[n, k] a[t, k] (+ residual), W in blocks of 32: per block d·sum q·a + m·sum a.
// a (T, K); q [tile of 8 rows][block][lane] of 32 nibbles; blocks [tile][block][lane] of d and m; residual and output (T, N).
// An invocation makes 4 rows of y, 8 apart, of one token: activations are read once for the four.
struct Params {
    columns: u32, // K
    outputs: u32, // N
}
@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> a: array<vec4<f32>>;
@group(0) @binding(2) var<storage, read> q: array<vec4<u32>>;
@group(0) @binding(3) var<storage, read> blocks: array<vec2<f32>>;
@group(0) @binding(4) var<storage, read> residual: array<f32>;
@group(0) @binding(5) var<storage, read_write> output: array<f32>;
override lanes: u32 = 64u;

fn nibbles(word: u32) -> vec4<f32> {
    return vec4<f32>((vec4<u32>(word) >> vec4<u32>(0u, 4u, 8u, 12u)) & vec4<u32>(15u));
}

// One block of one row: x its activations, total their sum.
fn term(weights: vec4<u32>, step: vec2<f32>, x: array<vec4<f32>, 8>, total: f32) -> f32 {
    let first = dot(nibbles(weights.x), x[0]) + dot(nibbles(weights.x >> 16u), x[1]);
    let second = dot(nibbles(weights.y), x[2]) + dot(nibbles(weights.y >> 16u), x[3]);
    let third = dot(nibbles(weights.z), x[4]) + dot(nibbles(weights.z >> 16u), x[5]);
    let fourth = dot(nibbles(weights.w), x[6]) + dot(nibbles(weights.w >> 16u), x[7]);
    return step.x * (first + second + third + fourth) + step.y * total;
}

// The sums of the four rows.
fn accumulate(id: vec3<u32>) -> vec4<f32> {
    let count = params.columns / 32u;
    let last = (params.outputs - 1u) / 8u;
    let lane = id.x % 8u;
    let tile = vec4<u32>(id.x / 8u * 4u) + vec4<u32>(0u, 1u, 2u, 3u);
    // Tiles beyond the last read the last and write nothing.
    var at = min(tile, vec4<u32>(last)) * count * 8u + lane;
    var from_ = id.y * (params.columns / 4u);
    var sum = vec4<f32>(0.0);
    for (var block = 0u; block < count; block++) {
        let x = array<vec4<f32>, 8>(a[from_], a[from_ + 1u], a[from_ + 2u], a[from_ + 3u],
                                    a[from_ + 4u], a[from_ + 5u], a[from_ + 6u], a[from_ + 7u]);
        let total = dot(x[0] + x[1] + x[2] + x[3] + x[4] + x[5] + x[6] + x[7], vec4<f32>(1.0));
        sum += vec4<f32>(term(q[at.x], blocks[at.x], x, total), term(q[at.y], blocks[at.y], x, total),
                         term(q[at.z], blocks[at.z], x, total), term(q[at.w], blocks[at.w], x, total));
        at += vec4<u32>(8u);
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
