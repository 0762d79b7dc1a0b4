"""Games: every public function of a module here is an adversary, played on a market of its own to its end.

It takes no arguments; the first line of its docstring says what is tried. A module is a family, its docstring's first
line says of what.
"""
