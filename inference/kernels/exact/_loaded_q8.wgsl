// Activations as they are given, narrowed as they are read.
@group(0) @binding(1) var<storage, read> a: array<vec4<i32>>;

// Four activations.
fn loaded(at: u32, e: i32) -> vec4<i32> {
    return narrowed(a[at], e, params.bits);
}
