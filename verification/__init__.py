"""Verification (section 5): commitments, challenges, bisection, a referee, stakes and slashing."""
