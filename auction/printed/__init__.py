"""The defects of the printed auction (sections 3 to 4.2), each with numbers that show it: docs/errata.md."""

from auction.printed import densities, model, pricing, walk
from auction.printed.defect import Defect

TEXT = (
    Defect(
        32,
        "4.2, line 10",
        "C = 0",
        "C is the matrix of all demands, which no line changes: it never becomes 0; what is left of one task is meant",
    ),
    Defect(
        33,
        "4.2",
        "M_i, compute power of R_i",
        "is defined and enters nothing; Ψ is called a constant and then carries indices",
    ),
    Defect(
        34,
        "4.2, lines 1, 2",
        "service providers send their bids; a sorted list of bids",
        "the text lets the platform set providers' prices, and the list of line 2 is used nowhere",
    ),
    Defect(
        35,
        "4, 4.2",
        "Section 6; Equation 1",
        "slashing is section 5, no equation is numbered",
    ),
    Defect(
        36,
        "4",
        "w_j units for each resource type; c_j of the i-th device; the j-th task wins; s_ij in bd_provider",
        "indices of tasks, providers and types change places; w_j counts units in the text and tasks in the constraint",
    ),
    Defect(
        39,
        "4.2",
        "bidding more token, which increases the bidding density",
        "the densities sort the lists and enter no price: what a task pays depends on them only by whom it meets",
    ),
    Defect(
        41,
        "4",
        "Σ_i A_ij ≤ w_j for each user device",
        "the bound is on a provider's slots, one for each j; users have no device here, and no w",
    ),
    Defect(
        42,
        "4.2",
        "Jiang et. al. (2021)",
        "is not among the references: whose bid density is followed cannot be looked up",
    ),
)

DEFECTS: tuple[Defect, ...] = tuple(
    sorted(
        (*model.DEFECTS, *densities.DEFECTS, *walk.DEFECTS, *pricing.DEFECTS, *TEXT), key=lambda defect: defect.number
    )
)
