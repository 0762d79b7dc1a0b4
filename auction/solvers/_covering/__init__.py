"""The cheapest cover of one task's demand by slots, each used at most once (a 0/1 covering knapsack in K dimensions).

Of any number of model types only those count that the task asks for. Where its own lattice of residual demands is
small it is solved there, otherwise by branch and bound on Lagrangian bounds: over one number of slots after another
where covers have few, over slots in turn where they may have many. All that is proved is proved in int64.
"""

from auction.solvers._covering.cover import ANY_NODES, UNINTERRUPTED, cheapest_cover, cover_of
from auction.solvers._covering.greedy import greedy_cover

__all__ = ["ANY_NODES", "UNINTERRUPTED", "cheapest_cover", "cover_of", "greedy_cover"]
