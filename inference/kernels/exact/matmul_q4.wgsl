// requires: fixed_point, q4, placed_q4, rows, rows_q4, rows_exponent
// y[t, n] = sum_k W[n, k] a[t, k] (+ residual), W in blocks of 32: per block mulsh(sum q·a, D, 15) + mulsh(sum a, M, 11).
// Bounds in ops/matmul_q4.py; layouts in _q4.wgsl.

// The accumulators of the four rows.
fn accumulate(id: vec3<u32>, e: i32) -> vec4<i32> {
    var at = begins(id);
    var from_ = id.y * (params.columns / 4u);
    var acc = vec4<i32>(0i);
    for (var block = 0u; block < params.columns / 32u; block++) {
        acc += terms(at, block_at(from_, e));
        at += vec4<u32>(8u);
        from_ += 8u;
    }
    return acc;
}
