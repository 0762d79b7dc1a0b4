// requires: fixed_point, k, loaded_q8, rows, rows_k, rows_bytes, rows_exponent
// y[t, n] = sum_k W[n, k] a[t, k] (+ residual), W in blocks of 32: per block mulsh(sum q·a, D, 15) of either half and
// mulsh(sum a, M, 11). Bounds in ops/matmul_k.py; layouts in _k.wgsl.
