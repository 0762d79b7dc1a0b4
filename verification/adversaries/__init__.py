"""Adversaries: each the honest strategy over one patched part, in three kinds, a module a kind (section 5)."""
