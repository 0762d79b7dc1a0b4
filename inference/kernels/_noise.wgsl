// Gaussian noise by counters and a table; formula in ops/noise.py.
// seed (2); table (65536); output (words). One invocation four samples, by a kernel's sample(word)
// of what the table has.
struct Params {
    words: u32,
}
@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> seed: array<u32>;
@group(0) @binding(2) var<storage, read> table: array<i32>;
@group(0) @binding(3) var<storage, read_write> output: array<Word>;
override lanes: u32 = 64u;

const ROTATIONS = array<u32, 8>(13u, 15u, 26u, 6u, 17u, 29u, 16u, 24u);

// Threefry2x32 with 20 rounds.
fn threefry(counter: u32) -> vec2<u32> {
    let keys = array<u32, 3>(seed[0], seed[1], seed[0] ^ seed[1] ^ 0x1bd11bdau);
    var rotations = ROTATIONS;
    var key = keys;
    var x = vec2<u32>(counter + keys[0], keys[1]);
    for (var group = 0u; group < 5u; group++) {
        for (var i = 0u; i < 4u; i++) {
            let by = rotations[group % 2u * 4u + i];
            x.x += x.y;
            x.y = ((x.y << by) | (x.y >> (32u - by))) ^ x.x;
        }
        x += vec2<u32>(key[(group + 1u) % 3u], key[(group + 2u) % 3u] + group + 1u);
    }
    return x;
}

@compute @workgroup_size(lanes)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
    let counter = id.y * 65535u * lanes + id.x;
    let first = counter * 4u;
    if (first >= params.words) { return; }
    let x = threefry(counter);
    let place = vec4<u32>(x.x & 65535u, x.x >> 16u, x.y & 65535u, x.y >> 16u);
    for (var i = 0u; i < 4u && first + i < params.words; i++) { output[first + i] = sample(table[place[i]]); }
}
