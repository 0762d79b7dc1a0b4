// x Phi(x); formula in ops/_gelu.py.
fn gelu(x: f32) -> f32 {
    let z = abs(x) * 0.70710678;
    let t = 1.0 / (1.0 + 0.3275911 * z);
    let terms = t * (0.254829592 + t * (-0.284496736 + t * (1.421413741 + t * (-1.453152027 + t * 1.061405429))));
    let upper = 0.5 * terms * exp(-min(z * z, 80.0));
    return x * select(1.0 - upper, upper, x < 0.0);
}
