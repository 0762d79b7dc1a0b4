// A block's terms of four rows and four tokens, from bytes, by a kernel's staged(row) and terms(w, a).

fn activations_at(token: u32) -> Activations {
    return Activations(array<vec4<u32>, 4>(x[token], x[SIDE + token], x[2u * SIDE + token], x[3u * SIDE + token]), sums[token], 0i);
}

fn added(acc: Four, at: Place) -> Four {
    let a = array<Activations, 4>(activations_at(at.x), activations_at(at.x + ACROSS),
                                  activations_at(at.x + 2u * ACROSS), activations_at(at.x + 3u * ACROSS));
    return Four(acc[0] + terms(staged(at.n), a), acc[1] + terms(staged(at.n + 1u), a),
                acc[2] + terms(staged(at.n + 8u), a), acc[3] + terms(staged(at.n + 9u), a));
}
