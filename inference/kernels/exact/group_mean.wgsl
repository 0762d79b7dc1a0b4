// requires: pairs
// The means of groups; formula in ops/group_mean.py. sums (height, 2 groups); output (groups). One invocation a group.
struct Params {
    height: u32,
    groups: u32,
    count: u32, // terms of a group, below 2^24
}
@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> sums: array<u32>;
@group(0) @binding(2) var<storage, read_write> output: array<i32>;
override lanes: u32 = 64u;

@compute @workgroup_size(lanes)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
    if (id.x >= params.groups) { return; }
    var total = vec2<u32>(0u);
    for (var line = 0u; line < params.height; line++) {
        let at = line * 2u * params.groups + id.x;
        total = plus(total, vec2<u32>(sums[at], sums[at + params.groups]));
    }
    let negative = (total.x >> 31u) == 1u;
    if (negative) { total = plus(vec2<u32>(~total.x, ~total.y), vec2<u32>(0u, 1u)); }
    // Long division of |total| · 2^14, a bit at a time: the rest stays below 2^25.
    var rest = 0u;
    var quotient = 0u;
    for (var i = 0u; i < 78u; i++) {
        rest = rest * 2u + select(0u, total.x >> 31u, i < 64u);
        total = vec2<u32>((total.x << 1u) | (total.y >> 31u), total.y << 1u);
        quotient *= 2u;
        if (rest >= params.count) {
            rest -= params.count;
            quotient++;
        }
    }
    output[id.x] = select(i32(quotient), -i32(quotient), negative);
}
