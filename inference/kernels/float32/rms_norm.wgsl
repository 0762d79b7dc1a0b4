// y = gain·x / sqrt(mean(x²) + epsilon).
// x (T, K) from row `first` on; gain (K); output (T - first, K). One workgroup a row.
struct Params {
    columns: u32, // K
    first: u32,   // row of x that row 0 of the output is
    epsilon: f32,
}
@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> x: array<f32>;
@group(0) @binding(2) var<storage, read> gain: array<f32>;
@group(0) @binding(3) var<storage, read_write> output: array<f32>;
override lanes: u32 = 64u;
var<workgroup> parts: array<f32, 256>;

@compute @workgroup_size(lanes)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
    let row = (group.x + params.first) * params.columns;
    var sum = 0.0;
    for (var i = lane; i < params.columns; i += lanes) { sum += x[row + i] * x[row + i]; }
    parts[lane] = sum;
    workgroupBarrier();
    var total = 0.0;
    for (var i = 0u; i < lanes; i++) { total += parts[i]; }
    let scale = inverseSqrt(total / f32(params.columns) + params.epsilon);
    for (var i = lane; i < params.columns; i += lanes) {
        output[group.x * params.columns + i] = x[row + i] * scale * gain[i];
    }
}
