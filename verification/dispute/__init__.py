"""Disputes over results: clocks, messages, the descent to one step, and what a stranger derives again (section 5)."""
