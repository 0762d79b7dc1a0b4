"""Prices of slot vectors: the dual, its master, descents and rounds, and allocations that follow them."""
