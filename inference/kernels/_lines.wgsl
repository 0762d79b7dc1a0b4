// Consecutive lines of [x; z], z below x: the words of output begin at word ``first`` of both. One invocation a word.
struct Params {
    words: u32, // of the output
    first: u32,
    above: u32, // words of x
}
@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> x: array<Word>;
@group(0) @binding(2) var<storage, read> z: array<Word>;
@group(0) @binding(3) var<storage, read_write> output: array<Word>;
override lanes: u32 = 64u;

@compute @workgroup_size(lanes)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
    let i = id.y * 65535u * lanes + id.x;
    if (i >= params.words) { return; }
    let at = params.first + i;
    if (at < params.above) {
        output[i] = x[at];
    } else {
        output[i] = z[at - params.above];
    }
}
