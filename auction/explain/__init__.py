"""What people ask of a solved market: who trades and why not, and what would have changed it."""
