// The exponent that the activations of a token share, found by one workgroup: all its invocations have one token.

var<workgroup> most: atomic<u32>;

fn exponent(id: vec3<u32>) -> i32 {
    if (params.bits == 0u) { return 0i; }
    let lane = id.x % lanes;
    if (lane == 0u) { atomicStore(&most, 0u); }
    workgroupBarrier();
    let vectors = params.columns / 4u;
    var largest = vec4<u32>(0u);
    for (var i = lane; i < vectors; i += lanes) { largest = max(largest, vec4<u32>(abs(a[id.y * vectors + i]))); }
    atomicMax(&most, max(max(largest.x, largest.y), max(largest.z, largest.w)));
    workgroupBarrier();
    return shared_exponent(vec4<u32>(atomicLoad(&most)), params.bits);
}

fn four_rows(id: vec3<u32>) -> vec4<i32> {
    let e = exponent(id);
    return requantised(accumulate(id, e), id, e);
}
