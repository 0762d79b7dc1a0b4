// Blocks of 8-bit weights in the workgroup's memory, and their scales.
var<workgroup> staged_low: array<vec4<u32>, SIDE>;
var<workgroup> staged_high: array<vec4<u32>, SIDE>;
var<workgroup> staged_step: array<i32, SIDE>;

fn stage(row: u32, w: Weights) {
    staged_low[row] = w.low;
    staged_high[row] = w.high;
    staged_step[row] = w.step;
}
