// floor(total · word / 2^32) in 16-bit pieces, none beyond 32 bits.
fn portion(total: u32, word: u32) -> u32 {
    let low = (total & 65535u) * (word & 65535u);
    let middle = (total >> 16u) * (word & 65535u) + (low >> 16u);
    let other = (total & 65535u) * (word >> 16u) + (middle & 65535u);
    return (total >> 16u) * (word >> 16u) + (middle >> 16u) + (other >> 16u);
}

