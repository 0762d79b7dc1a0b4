"""Every claim of the whitepaper run, checked and reported."""
