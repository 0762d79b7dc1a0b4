// y = gain·x / sqrt(mean(x²) + epsilon) of each head; what is copied is in whole heads too.
// x (T, W), heads from column `offset` on; gain (head); output (T, width). One workgroup a head and row.
struct Params {
    columns: u32,    // W
    offset: u32,
    width: u32,      // columns of the output
    head_width: u32,
    heads: u32,      // normed; those after them are copied
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
    let row = group.y * params.columns + params.offset + group.x * params.head_width;
    let to = group.y * params.width + group.x * params.head_width;
    var sum = 0.0;
    for (var i = lane; i < params.head_width; i += lanes) { sum += x[row + i] * x[row + i]; }
    parts[lane] = sum;
    workgroupBarrier();
    var total = 0.0;
    for (var i = 0u; i < lanes; i++) { total += parts[i]; }
    let scale = inverseSqrt(total / f32(params.head_width) + params.epsilon);
    for (var i = lane; i < params.head_width; i += lanes) {
        output[to + i] = select(x[row + i], x[row + i] * scale * gain[i], group.x < params.heads);
    }
}
