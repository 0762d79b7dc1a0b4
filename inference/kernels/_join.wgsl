// y = [x other], columns side by side.
// x (T, W); other (T, V); output (T, W + V). One invocation a value.
struct Params {
    columns: u32, // W
    others: u32,  // V
}
@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> x: array<Word>;
@group(0) @binding(2) var<storage, read> other: array<Word>;
@group(0) @binding(3) var<storage, read_write> output: array<Word>;
override lanes: u32 = 64u;

@compute @workgroup_size(lanes)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
    let width = params.columns + params.others;
    if (id.x >= width) { return; }
    let at = id.y * width + id.x;
    if (id.x < params.columns) {
        output[at] = x[id.y * params.columns + id.x];
    } else {
        output[at] = other[id.y * params.others + id.x - params.columns];
    }
}
