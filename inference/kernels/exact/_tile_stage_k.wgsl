// Blocks of 8-bit weights in the workgroup's memory, half by half, and their steps.
var<workgroup> staged_q: array<vec4<u32>, 2u * SIDE>; // [half][row]
var<workgroup> staged_step: array<i32, 3u * SIDE>;    // [D of the first half, D of the second, M][row]

fn stage(row: u32, w: Weights) {
    staged_q[row] = w.low;
    staged_q[SIDE + row] = w.high;
    staged_step[row] = w.steps.x;
    staged_step[SIDE + row] = w.steps.y;
    staged_step[2u * SIDE + row] = w.steps.z;
}
