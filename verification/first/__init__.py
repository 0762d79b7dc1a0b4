"""The protocol as it was first built; what replaces it is beside it."""
