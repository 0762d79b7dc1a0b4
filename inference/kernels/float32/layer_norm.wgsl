// y = (x - mean) / sqrt(mean of squared distances + epsilon) · gain + bias.
// x (rows, channels); affine (2, channels); output as x. One workgroup a row, rows beyond 65,535 folded.
struct Params {
    rows: u32,
    channels: u32,
    epsilon: f32,
}
@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> x: array<f32>;
@group(0) @binding(2) var<storage, read> affine: array<f32>;
@group(0) @binding(3) var<storage, read_write> output: array<f32>;
override lanes: u32 = 64u;
var<workgroup> parts: array<f32, 256>;

// Of all lanes; every lane has it.
fn sum_of_parts() -> f32 {
    workgroupBarrier();
    var total = 0.0;
    for (var i = 0u; i < lanes; i++) { total += parts[i]; }
    workgroupBarrier();
    return total;
}

@compute @workgroup_size(lanes)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
    let row = group.y * 65535u + group.x;
    let first = min(row, params.rows - 1u) * params.channels; // beyond the last row nothing is kept
    var sum = 0.0;
    for (var i = lane; i < params.channels; i += lanes) { sum += x[first + i]; }
    parts[lane] = sum;
    let mean = sum_of_parts() / f32(params.channels);
    var squares = 0.0;
    for (var i = lane; i < params.channels; i += lanes) {
        let d = x[first + i] - mean;
        squares += d * d;
    }
    parts[lane] = squares;
    let root = inverseSqrt(sum_of_parts() / f32(params.channels) + params.epsilon);
    if (row >= params.rows) { return; }
    for (var i = lane; i < params.channels; i += lanes) {
        output[first + i] = (x[first + i] - mean) * root * affine[i] + affine[i + params.channels];
    }
}
