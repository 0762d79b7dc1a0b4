// SHA-256 of leaves where they lie: of the bytes 0, "i32", the count of a leaf's words, and the words, little-endian.
// x: words; leaves: of each, its first word in x, its count (at most 1,024), and which digest it is; digests: 8 words each,
// whose bytes in memory are the digest's. One invocation a leaf.
//
// A message is whole words, W[0] = prefix, W[1] = count, W[2 + i] = x[first + i], then 0x80 and zeros, its length in
// bits in the last two words: 64 + 32 count < 2^32. Blocks of 16 words: (count + 2 + 3 + 15) / 16.
struct Params {
    begin: u32, // of the leaves that lie in x
    end: u32,
}
@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> x: array<u32>;
@group(0) @binding(2) var<storage, read> leaves: array<vec4<u32>>;
@group(0) @binding(3) var<storage, read_write> digests: array<u32>;
override lanes: u32 = 64u;

const PREFIX = 0x32336900u; // 0, "i32"
const K = array<u32, 64>(
    0x428a2f98u, 0x71374491u, 0xb5c0fbcfu, 0xe9b5dba5u, 0x3956c25bu, 0x59f111f1u, 0x923f82a4u, 0xab1c5ed5u,
    0xd807aa98u, 0x12835b01u, 0x243185beu, 0x550c7dc3u, 0x72be5d74u, 0x80deb1feu, 0x9bdc06a7u, 0xc19bf174u,
    0xe49b69c1u, 0xefbe4786u, 0x0fc19dc6u, 0x240ca1ccu, 0x2de92c6fu, 0x4a7484aau, 0x5cb0a9dcu, 0x76f988dau,
    0x983e5152u, 0xa831c66du, 0xb00327c8u, 0xbf597fc7u, 0xc6e00bf3u, 0xd5a79147u, 0x06ca6351u, 0x14292967u,
    0x27b70a85u, 0x2e1b2138u, 0x4d2c6dfcu, 0x53380d13u, 0x650a7354u, 0x766a0abbu, 0x81c2c92eu, 0x92722c85u,
    0xa2bfe8a1u, 0xa81a664bu, 0xc24b8b70u, 0xc76c51a3u, 0xd192e819u, 0xd6990624u, 0xf40e3585u, 0x106aa070u,
    0x19a4c116u, 0x1e376c08u, 0x2748774cu, 0x34b0bcb5u, 0x391c0cb3u, 0x4ed8aa4au, 0x5b9cca4fu, 0x682e6ff3u,
    0x748f82eeu, 0x78a5636fu, 0x84c87814u, 0x8cc70208u, 0x90befffau, 0xa4506cebu, 0xbef9a3f7u, 0xc67178f2u,
);

fn turned(x: u32, by: u32) -> u32 { return (x >> by) | (x << (32u - by)); }

// The same four bytes from the other end.
fn reversed(x: u32) -> u32 { return (turned(x, 8u) & 0xff00ff00u) | (turned(x, 24u) & 0x00ff00ffu); }

// Word `at` of a leaf's message.
fn word(first: u32, count: u32, at: u32, last: u32) -> u32 {
    if (at >= 2u && at < count + 2u) { return reversed(x[first + at - 2u]); }
    if (at == 0u) { return reversed(PREFIX); }
    if (at == 1u) { return reversed(count); }
    if (at == count + 2u) { return 0x80000000u; }
    return select(0u, 64u + 32u * count, at == last);
}

@compute @workgroup_size(lanes)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
    let leaf = params.begin + id.x;
    if (leaf >= params.end) { return; }
    let first = leaves[leaf].x;
    let count = leaves[leaf].y;
    let blocks = (count + 20u) / 16u;
    var k = K;
    var state = array<u32, 8>(
        0x6a09e667u, 0xbb67ae85u, 0x3c6ef372u, 0xa54ff53au, 0x510e527fu, 0x9b05688cu, 0x1f83d9abu, 0x5be0cd19u);
    for (var block = 0u; block < blocks; block++) {
        var w: array<u32, 16>;
        for (var t = 0u; t < 16u; t++) { w[t] = word(first, count, 16u * block + t, 16u * blocks - 1u); }
        var a = state[0]; var b = state[1]; var c = state[2]; var d = state[3];
        var e = state[4]; var f = state[5]; var g = state[6]; var h = state[7];
        for (var round = 0u; round < 64u; round += 16u) {
            for (var t = 0u; t < 16u; t++) {
                let u = h + (turned(e, 6u) ^ turned(e, 11u) ^ turned(e, 25u)) + ((e & f) ^ (~e & g)) + k[round + t] + w[t];
                let v = (turned(a, 2u) ^ turned(a, 13u) ^ turned(a, 22u)) + ((a & b) ^ (a & c) ^ (b & c));
                h = g; g = f; f = e; e = d + u; d = c; c = b; b = a; a = u + v;
                let y = w[(t + 1u) % 16u];
                let z = w[(t + 14u) % 16u];
                w[t] += (turned(y, 7u) ^ turned(y, 18u) ^ (y >> 3u)) + w[(t + 9u) % 16u] + (turned(z, 17u) ^ turned(z, 19u) ^ (z >> 10u));
            }
        }
        state[0] += a; state[1] += b; state[2] += c; state[3] += d;
        state[4] += e; state[5] += f; state[6] += g; state[7] += h;
    }
    for (var i = 0u; i < 8u; i++) { digests[8u * leaves[leaf].z + i] = reversed(state[i]); }
}
