// requires: fixed_point, q8, loaded_q8, rows, rows_q8, rows_bytes, rows_exponent
// y[t, n] = sum_k W[n, k] a[t, k] (+ residual), W in blocks of 32: per block mul16(sum q·a, D).
// Bounds in ops/matmul_q8.py; layouts in _q8.wgsl.
