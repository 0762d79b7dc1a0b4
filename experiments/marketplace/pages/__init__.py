"""Pages of the market: give compute, ask, watch; and what they load."""
