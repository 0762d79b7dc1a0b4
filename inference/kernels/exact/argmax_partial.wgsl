// The largest of each 1,024 logits of a row and its id, ties to the lowest.
// logits (T, columns); output (T, spans) of logit and id. One workgroup a span and token.
struct Params {
    columns: u32,
    spans: u32, // ceil(columns / 1024)
}
@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> logits: array<i32>;
@group(0) @binding(2) var<storage, read_write> output: array<vec2<i32>>;
override lanes: u32 = 64u;
var<workgroup> largest: atomic<i32>;
var<workgroup> lowest: atomic<u32>;

@compute @workgroup_size(lanes)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
    let row = group.y * params.columns;
    let end = min(group.x * 1024u + 1024u, params.columns);
    if (lane == 0u) {
        atomicStore(&largest, -2147483647i);
        atomicStore(&lowest, 4294967295u);
    }
    workgroupBarrier();
    var most = -2147483647i;
    var first = 0u;
    for (var i = group.x * 1024u + lane; i < end; i += lanes) {
        if (logits[row + i] > most) {
            most = logits[row + i];
            first = i;
        }
    }
    atomicMax(&largest, most);
    workgroupBarrier();
    if (most == atomicLoad(&largest)) { atomicMin(&lowest, first); }
    workgroupBarrier();
    if (lane == 0u) {
        output[group.y * params.spans + group.x] = vec2<i32>(atomicLoad(&largest), i32(atomicLoad(&lowest)));
    }
}
