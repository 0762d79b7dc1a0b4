// requires: fixed_point, q8, loaded_q8, rows, rows_q8, rows_exponent
// y[t, n] = sum_k W[n, k] a[t, k] (+ residual), W in blocks of 32: per block mul16(sum q·a, D).
// Bounds in ops/matmul_q8.py; layouts in _q8.wgsl.

// The accumulators of the four rows.
fn accumulate(id: vec3<u32>, e: i32) -> vec4<i32> {
    let count = params.columns / 32u;
    let lane = rows_of(id) % 8u;
    var block = tiles_of(id) * count;
    var from_ = id.y * (params.columns / 4u);
    var acc = vec4<i32>(0i);
    for (var i = 0u; i < count; i++) {
        acc += terms(block, lane, block_at(from_, e));
        block += vec4<u32>(1u);
        from_ += 8u;
    }
    return acc;
}
