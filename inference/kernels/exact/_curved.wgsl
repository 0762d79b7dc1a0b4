// max(y, 0) - C(|y|), y and the result at an exponent; C of 257 entries in 16 fraction bits at steps of 1/16: `curve`, which a
// kernel binds. The same as arithmetic/scaled.py.
fn curved(y: i32, exponent: i32) -> i32 {
    let t = u32(moved(abs(y), -16i - exponent));
    let i = t >> 12u;
    var c = 0i;
    if (i < 256u) {
        let low = curve[i];
        c = low + (((curve[i + 1u] - low) * i32(t & 4095u) + 2048i) >> 12u);
    }
    return max(y, 0i) - moved(c, 16i + exponent);
}
