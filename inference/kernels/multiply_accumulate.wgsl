// How fast integers are multiplied: 4,096 dot4I8Packed an invocation, in eight chains that do not wait for one another.
// x: operands, read so that no compiler evaluates them; output: one word an invocation.
@group(0) @binding(0) var<storage, read> x: array<vec4<u32>>;
@group(0) @binding(1) var<storage, read_write> output: array<i32>;

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
    let a = x[lane];
    var first = vec4<i32>(0i);
    var second = vec4<i32>(0i);
    for (var i = 0u; i < 512u; i++) {
        let b = a ^ vec4<u32>(i);
        first += vec4<i32>(dot4I8Packed(a.x, b.x), dot4I8Packed(a.y, b.y), dot4I8Packed(a.z, b.z), dot4I8Packed(a.w, b.w));
        second += vec4<i32>(dot4I8Packed(a.y, b.x), dot4I8Packed(a.z, b.y), dot4I8Packed(a.w, b.z), dot4I8Packed(a.x, b.w));
    }
    let sum = first + second;
    output[group.x * 64u + lane] = sum.x + sum.y + sum.z + sum.w;
}
