// requires: fixed_point, k, loaded_q8, rows, rows_k, eight_lanes, rows_subgroup, rows_bytes_subgroup
// matmul_k where subgroups have 8 lanes or more: the same bits. A lane loads 4 activations of a block and the others read them
// from it.
