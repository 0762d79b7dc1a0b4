"""What a page loads is what the layouts and the manifest name; what is not asked for as it must be is refused."""

import pytest
from starlette.applications import Starlette
from starlette.testclient import TestClient

from experiments.marketplace.layouts import layouts_of
from experiments.marketplace.pages.files import routes
from inference.device import export
from verification.encoding.canonical import canonical
from verification.inference_models import exact, manifest_digest
from verification.manifest import manifest
from verification.task import Task

TASK = Task("tiny", (72, 105), 2, 0, 0)
TERMS = {name: value for name, value in TASK.plain().items() if name != "model"}
DEVICE = {"lanes": 16, "subgroups": False, "features": [], "largest": 2**27}
WEIGHT, CONSTANT = min(export.weights(exact("tiny"))), "embedding.q"


@pytest.fixture(scope="module")
def client():
    return TestClient(Starlette(routes=routes(("tiny",))))


def test_manifest_and_layouts_are_those_that_parties_name_by_digest(client):
    assert client.get("/models/tiny/manifest").content == canonical(manifest(exact("tiny")))
    assert client.get("/models/tiny/layouts").content == canonical(layouts_of("tiny"))


def test_a_schedule_has_the_nodes_of_the_run(client):
    found = client.post("/models/tiny/schedule", content=canonical(TERMS | DEVICE)).json()
    assert [each["name"] for each in found["passes"]] == ["prompt000", "step0001"]
    assert all(program["windows"][-1]["nodes"][1] == len(program["nodes"]) for program in found["programs"])


def test_a_device_is_sent_the_kernels_that_its_features_admit_and_no_other_weights(client):
    gpu = {"lanes": 64, "features": ["packed_4x8_integer_dot_product"]}
    found = client.post("/models/tiny/schedule", content=canonical(TERMS | DEVICE | gpu)).json()
    steps = [step for program in found["programs"] for node in program["dispatches"] for step in node]
    assert any(step["kernel"][-1].endswith("_dot4.wgsl") for step in steps)
    weights = {weight for program in found["programs"] for weight in program["weights"]}
    assert weights <= set(export.weights(exact("tiny")))


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"[]",
        b"{}",
        canonical(TERMS),
        canonical(TERMS | DEVICE | {"lanes": 0}),
        canonical(TERMS | DEVICE | {"prompt": []}),
        canonical(TERMS | DEVICE | {"prompt": [256]}),
        canonical(TERMS | DEVICE | {"limit": 10**6}),
        canonical(TERMS | DEVICE | {"more": 1}),
    ],
)
def test_a_schedule_of_no_task_is_refused_in_one_line(client, body):
    found = client.post("/models/tiny/schedule", content=body)
    assert found.status_code == 400 and "\n" not in found.json()["error"]


def test_steps_of_no_leaf_are_refused(client):
    assert client.post("/models/tiny/steps", content=canonical(TERMS | {"node": 0, "leaf": 0})).status_code == 200
    for place in ({"node": 10**6, "leaf": 0}, {"node": 0, "leaf": 10**6}, {"node": -1, "leaf": 0}):
        assert client.post("/models/tiny/steps", content=canonical(TERMS | place)).status_code == 400


@pytest.mark.parametrize(
    "path",
    [
        "/js/inference/../secret.js",
        "/js/os/path.js",
        "/js/inference/browser/server.py",
        "/js/inference",
        "/kernels/../__init__.py",
        "/models/none/manifest",
        "/models/tiny/weights/none",
        "/models/tiny/tiles/none/0",
        "/models/tiny/tiles/embedding.q/1000000",
    ],
)
def test_there_is_nothing_else(client, path):
    assert client.get(path).status_code == 404


@pytest.mark.parametrize(
    ("path", "reasons"),
    [
        ("/models/none", {""}),
        ("/models/tiny/manifest", {"wrong-manifest", "malformed"}),
        ("/kernels/", {"wrong-part"}),
        ("/models/tiny/weights/", {"wrong-part"}),
        ("/models/tiny/tiles/", {"wrong-tile", "malformed"}),
    ],
)
def test_a_page_refuses_files_that_are_not_what_was_named(browser, path, reasons):
    names = {"model": "tiny", "digest": manifest_digest("tiny"), "weight": WEIGHT, "constant": CONSTANT}
    assert browser("tampered", path=path, **names)["reason"] in reasons
