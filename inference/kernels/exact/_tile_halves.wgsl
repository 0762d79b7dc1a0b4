// A block's terms of four rows and four tokens, from half words, by a kernel's quarter(row, i, t) and scaled(row, p, sums).

fn added(acc: Four, at: Place) -> Four {
    var p = array<Partial, 4>();
    for (var i = 0u; i < 4u; i++) {
        let t = tokens_at(i, at.x);
        p[0] += quarter(at.n, i, t);
        p[1] += quarter(at.n + 1u, i, t);
        p[2] += quarter(at.n + 8u, i, t);
        p[3] += quarter(at.n + 9u, i, t);
    }
    let total = vec4<i32>(sums[at.x], sums[at.x + ACROSS], sums[at.x + 2u * ACROSS], sums[at.x + 3u * ACROSS]);
    return Four(acc[0] + scaled(at.n, p[0], total), acc[1] + scaled(at.n + 1u, p[1], total),
                acc[2] + scaled(at.n + 8u, p[2], total), acc[3] + scaled(at.n + 9u, p[3], total));
}
