"""The terrain model as its package ships it: near onnxruntime in float32, exact near float32, one digest."""

import numpy as np
import pytest

from inference.device.runtime import Runtime
from inference.errors import InputError
from inference.generate import digest_of
from inference.models.terrain import CLASSES, FRACTION, SIGMA, heights, inputs, terrain, terrain_file
from inference.reference import Reference

DIGEST = "866511fdf2419fbbbd832ef7d8e94403b83d258cb47cf9faaf66fca35e7a87fb"


@pytest.fixture(scope="module")
def file():
    try:
        return terrain_file()
    except InputError as error:
        pytest.skip(str(error))


def run(model, backend, difficulty, seed):
    [output] = backend.run(model.graph, inputs(model.model.arithmetic, difficulty, seed), [model.picture])
    return output[..., 0]


@pytest.mark.slow
@pytest.mark.parametrize("difficulty, seed", [(40, 7), (1, 0), (100, 2**64 - 1), (70, 3)])
def test_four_pictures_beside_onnxruntime(file, difficulty, seed):
    onnxruntime = pytest.importorskip("onnxruntime")
    models = {arithmetic: terrain("terrain", arithmetic) for arithmetic in ("exact", "float32")}
    exact, single = (run(model, Reference(model.model), difficulty, seed) for model in models.values())
    given = inputs("float32", difficulty, seed)
    noisy = models["float32"].noisy_array(given["seed"])[None, None]
    session = onnxruntime.InferenceSession(str(file), providers=["CPUExecutionProvider"])
    fed = {"noisy": noisy, "sigma": np.array([SIGMA], np.float32), "difficulty": given["difficulty"][0]}
    [peer] = session.run(None, fed)
    assert np.abs(single - peer[0, 0]).max() < 5e-5
    assert 10 * np.log10(4 / ((exact / 2.0**FRACTION - single) ** 2).mean()) > 38
    assert ((difficulty, seed) == (40, 7)) == (digest_of(exact) == DIGEST)


@pytest.mark.slow
def test_one_digest_on_every_stack(file, stack, device):
    model = terrain("terrain", "exact")
    assert digest_of(run(model, Runtime(model.model, device(stack, 16)), 40, 7)) == DIGEST


def test_heights_are_from_none_to_the_highest():
    np.testing.assert_allclose(heights(np.array([-1.0, 1.0, 2.0])), [0, 22.16864013671875, 22.16864013671875])


@pytest.mark.parametrize(
    "difficulty, seed, said", [(0, 0, "--class 0"), (CLASSES + 1, 0, "--class 101"), (1, -1, "--seed -1")]
)
def test_what_no_picture_is_of(difficulty, seed, said, refusal):
    assert said in refusal(inputs, "exact", difficulty, seed)
