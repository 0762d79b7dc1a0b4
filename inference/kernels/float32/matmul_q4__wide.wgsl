// y[t, n] = sum_k W[n, k] a[t, k] (+ residual) of few tokens on GPUs: a workgroup makes a tile of 8 rows for one token; its invocations
// share the blocks of each row.
// a (T, K); q [tile of 8 rows][block][lane] of 32 nibbles; blocks [tile][block][lane] of d and m; residual and output (T, N).
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
var<workgroup> parts: array<f32, 256>;

fn nibbles(word: u32) -> vec4<f32> {
    return vec4<f32>((vec4<u32>(word) >> vec4<u32>(0u, 4u, 8u, 12u)) & vec4<u32>(15u));
}

// 8 weights of a word times 8 activations from `at` on, and the sum of these.
fn eighth(word: u32, at: u32) -> vec2<f32> {
    let x = a[at];
    let y = a[at + 1u];
    return vec2<f32>(dot(nibbles(word), x) + dot(nibbles(word >> 16u), y), dot(x + y, vec4<f32>(1.0)));
}

// The sum of row `lane` of the tile, for the first eight invocations.
fn sum_of(group: vec3<u32>, lane: u32) -> f32 {
    let count = params.columns / 32u;
    var sum = 0.0;
    for (var block = lane / 8u; block < count; block += lanes / 8u) {
        let at = (group.x * count + block) * 8u + lane % 8u;
        let x = (group.y * count + block) * 8u;
        let w = q[at];
        let p = eighth(w.x, x) + eighth(w.y, x + 2u) + eighth(w.z, x + 4u) + eighth(w.w, x + 6u);
        sum += dot(blocks[at], p);
    }
    parts[lane] = sum;
    workgroupBarrier();
    var total = 0.0;
    for (var i = lane % 8u; i < lanes; i += 8u) { total += parts[i]; }
    return total;
}

@compute @workgroup_size(lanes)
fn product(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
    let sum = sum_of(group, lane);
    let n = group.x * 8u + lane;
    if (lane < 8u && n < params.outputs) { output[group.y * params.outputs + n] = sum; }
}

@compute @workgroup_size(lanes)
fn product_and_residual(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
    let sum = sum_of(group, lane);
    let n = group.x * 8u + lane;
    if (lane < 8u && n < params.outputs) {
        let y = group.y * params.outputs + n;
        output[y] = residual[y] + sum;
    }
}
