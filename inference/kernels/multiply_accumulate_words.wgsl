// How fast words are multiplied: 4,096 vectors of four an invocation, as multiply_accumulate does packed bytes. On
// processors, whose dot4I8Packed is many instructions, the faster of the two.
@group(0) @binding(0) var<storage, read> x: array<vec4<i32>>;
@group(0) @binding(1) var<storage, read_write> output: array<i32>;

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
    let a = x[lane];
    var s = vec4<i32>(0i);
    var t = vec4<i32>(0i);
    var u = vec4<i32>(0i);
    var v = vec4<i32>(0i);
    for (var i = 0u; i < 512u; i++) {
        let b = a ^ vec4<i32>(i32(i));
        let c = a.yzwx ^ vec4<i32>(i32(7u * i));
        s += b * a.x + c * b.y;
        t += b * a.y + c * b.z;
        u += b * a.z + c * b.w;
        v += b * a.w + c * b.x;
    }
    let sum = s + t + u + v;
    output[group.x * 64u + lane] = sum.x + sum.y + sum.z + sum.w;
}
