// y[t, n] = sum_k W[n, k] a[t, k] (+ residual) of few tokens on GPUs by rows of 8 bits, by a kernel's term(at, step, x): a workgroup makes
// a tile of 8 rows for one token; its invocations share the blocks of each row.
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
var<workgroup> parts: array<f32, 256>;

// The four bytes of a word, signed, the lowest first.
fn bytes(word: u32) -> vec4<f32> {
    return vec4<f32>((vec4<i32>(bitcast<i32>(word)) << vec4<u32>(24u, 16u, 8u, 0u)) >> vec4<u32>(24u));
}

// 16 weights times 16 activations from `at` on.
fn half(w: vec4<u32>, at: u32) -> f32 {
    return dot(bytes(w.x), a[at]) + dot(bytes(w.y), a[at + 1u]) + dot(bytes(w.z), a[at + 2u]) + dot(bytes(w.w), a[at + 3u]);
}

// The sum of row `lane` of the tile, for the first eight invocations.
fn sum_of(group: vec3<u32>, lane: u32) -> f32 {
    let count = params.columns / 32u;
    var sum = 0.0;
    for (var block = lane / 8u; block < count; block += lanes / 8u) {
        let tile = group.x * count + block;
        sum += term(tile * 16u + lane % 8u, tile * 8u + lane % 8u, (group.y * count + block) * 8u);
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
