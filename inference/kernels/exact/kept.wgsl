// Logits up to the last that is kept, the others -2^30; ops/kept.py.
// logits (T, columns); last (T) of logit and id; output (T, columns). One invocation a logit.
struct Params {
    columns: u32,
}
@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> logits: array<i32>;
@group(0) @binding(2) var<storage, read> last: array<vec2<i32>>;
@group(0) @binding(3) var<storage, read_write> output: array<i32>;
override lanes: u32 = 64u;

@compute @workgroup_size(lanes)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
    if (id.x >= params.columns) { return; }
    let at = id.y * params.columns + id.x;
    let x = logits[at];
    let end = last[id.y];
    output[at] = select(-1073741824i, x, x > end.x || (x == end.x && i32(id.x) <= end.y));
}
