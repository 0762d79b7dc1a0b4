"""The arithmetic: fixed point, formats, tables, counters, tolerances."""
