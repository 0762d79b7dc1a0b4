// What goes before a product on a GPU, by a kernel's packed(x, y) and counted(x): activations narrowed once, not by every row of W.
// a (T, K); workspace (T, K / 32) of activations. One workgroup a token.
struct Params {
    columns: u32,  // K
    bits: u32,     // to which rows of a are narrowed; 0: they are as they are
    unscaled: u32, // 1: y stays at their exponent
}
@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> a: array<vec4<i32>>;
@group(0) @binding(2) var<storage, read_write> workspace: array<Activations>;
override lanes: u32 = 64u;
var<workgroup> most: atomic<u32>;

@compute @workgroup_size(lanes)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
    let vectors = params.columns / 4u;
    let first = group.x * vectors;
    var e = 0i;
    if (params.bits > 0u) {
        if (lane == 0u) { atomicStore(&most, 0u); }
        workgroupBarrier();
        var largest = vec4<u32>(0u);
        for (var i = lane; i < vectors; i += lanes) { largest = max(largest, vec4<u32>(abs(a[first + i]))); }
        atomicMax(&most, max(max(largest.x, largest.y), max(largest.z, largest.w)));
        workgroupBarrier();
        e = shared_exponent(vec4<u32>(atomicLoad(&most)), params.bits);
    }
    for (var block = lane; block < vectors / 8u; block += lanes) {
        var made = Activations();
        made.exponent = select(e, 0i, params.unscaled > 0u);
        for (var i = 0u; i < 4u; i++) {
            let x = narrowed(a[first + block * 8u + 2u * i], e, params.bits);
            let y = narrowed(a[first + block * 8u + 2u * i + 1u], e, params.bits);
            made.x[i] = packed(x, y);
            made.sum += dot(counted(x) + counted(y), vec4<i32>(1i));
        }
        workspace[group.x * (vectors / 8u) + block] = made;
    }
}
