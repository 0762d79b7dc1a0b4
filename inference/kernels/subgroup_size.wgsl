// How many lanes a subgroup has on this device.
// x (1): added, 0; output (1). One invocation writes; the others make the subgroup full.
@group(0) @binding(0) var<storage, read> x: array<u32>;
@group(0) @binding(1) var<storage, read_write> output: array<u32>;

@compute @workgroup_size(64)
fn main(@builtin(local_invocation_index) lane: u32, @builtin(subgroup_size) size: u32) {
    if (lane == 0u) { output[0] = size + x[0]; }
}
