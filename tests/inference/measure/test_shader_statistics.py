"""What a GPU's compiler, without a GPU, makes of the kernels: no GPU's variant spills, and each leaves waves enough."""

import pytest

from inference.measure.shader_statistics import DRIVERS, compiled, entries

WAVES = 8
PROCESSORS = (
    ("conv", "subgroup"),
    ("matmul_k", "tokens"),
    ("matmul_q4", "tokens"),
    ("matmul_q4", "tokens_subgroup"),
    ("matmul_q8", "tokens"),
)
"""Kernels for processors alone, and the only ones that are left out here."""


@pytest.fixture(scope="module")
def rows():
    pytest.importorskip("vulkan")
    if not list(DRIVERS.glob("radeon_icd*.json")):
        pytest.skip("Mesa's driver for AMD cards is not there; make adapter")
    return compiled("navi31")


def test_every_entry_point_is_compiled(rows):
    assert [(row.arithmetic, row.op, row.variant, row.entry) for row in rows] == list(entries())


def test_no_kernel_of_a_gpu_spills_or_fills_a_unit_with_few_subgroups(rows):
    for row in rows:
        if (row.op, row.variant) not in PROCESSORS:
            assert (row.spilled, row.scratch) == (0, 0) and row.waves >= WAVES, row


def test_what_spills_is_seen(rows):
    [row] = [row for row in rows if (row.op, row.variant, row.entry) == ("matmul_q4", "tokens_subgroup", "product")]
    assert row.spilled > 100 and row.scratch > 10_000 and row.waves < WAVES


def test_a_family_that_is_not_known_is_refused(cli):
    code, _, err = cli("compile", "--family", "navi99")
    assert code == 2 and "unknown family 'navi99'; there are navi31, navi21, vega10" in err
