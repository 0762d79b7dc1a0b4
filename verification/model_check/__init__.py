"""The protocol checked exhaustively on small computations: whatever parties do, in every order (section 5)."""
