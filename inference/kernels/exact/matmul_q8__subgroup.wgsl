// requires: fixed_point, q8, loaded_q8, rows, rows_q8, eight_lanes, rows_subgroup, rows_bytes_subgroup
// matmul_q8 where subgroups have 8 lanes or more: the same bits. A lane loads 4 activations of a block and the others read them
// from it.
