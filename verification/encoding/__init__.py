"""How everything that is signed or hashed is written down, the same in every language (section 5)."""
