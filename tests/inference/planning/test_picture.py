"""Plans of diffusion models against their published sizes and arithmetic by hand."""

import json
from math import prod

import pytest

from inference.models import configurations
from inference.models.diffusion import parameters, reduced
from inference.planning import picture
from inference.planning.limits import DEFAULTS

CLIP_L, BIG_G, CLIP_H, VAE = 123_060_480, 694_659_840, 340_387_840, 83_653_863
PUBLISHED = {
    "sdxl": {"text_encoder": CLIP_L, "text_encoder_2": BIG_G, "unet": 2_567_463_684, "vae": VAE},
    "sd15": {"text_encoder": CLIP_L, "unet": 859_520_964, "vae": VAE},
    "sd-turbo": {"text_encoder": CLIP_H, "unet": 865_910_724, "vae": VAE},
}
READERS = {"text_encoder": parameters.text_encoder, "unet": parameters.unet, "vae": parameters.autoencoder}


@pytest.mark.parametrize("name", PUBLISHED)
def test_a_name_has_its_published_weights(name):
    config = configurations.named(name)
    read = {folder: READERS[folder.removesuffix("_2")] for folder in PUBLISHED[name]}
    assert {folder: picture.count(of(config[folder])) for folder, of in read.items()} == PUBLISHED[name]


@pytest.fixture(scope="module", params=PUBLISHED)
def small(request):
    config = reduced.configuration(request.param)
    return config, picture.picture_plan("small", config, 64)


def test_every_parameter_is_read_once_but_what_nobody_needs(small):
    """The encoder of pictures is not run; of a text encoder whose last but one states are taken, not the last layer."""
    config, made = small
    of_stage = {stage.name: stage for stage in made.stages}
    two, layers = "text_encoder_2" in config, config["text_encoder"]["num_hidden_layers"]
    shapes = {
        "unet": parameters.unet(config["unet"]),
        "vae": parameters.decoder(config["vae"]),
        "text_encoder": parameters.text_encoder(config["text_encoder"]),
    }
    for name, of in shapes.items():
        graph = of_stage[name].graph
        read = {node.removesuffix(".gains") for node in graph if graph.nodes[node]["kind"] == "weight"}
        parts = {key.rpartition(".")[0] for key in of}
        skipped = ("final_layer_norm", f"layers.{layers - 1}.") if two and name == "text_encoder" else ()
        wanted = {part for part in parts if not any(each in part for each in skipped)}
        found = {part for part in wanted if any(node.split(" ")[0].startswith(part) for node in read)}
        assert found == wanted
        assert not [node for node in read for each in skipped if each in node]


def test_the_work_of_convolutions_is_of_their_weights_at_their_outputs(small):
    _, made = small
    for stage in made.stages:
        for name, cost in stage.costs.items():
            node = stage.graph.nodes[name]
            if node["op"] == "conv":
                weight = stage.graph.nodes[node["inputs"][1]]["shape"]
                assert cost.operations == prod(node["shape"][:-1]) * prod(weight)


def test_weights_of_two_encoders_are_not_shared():
    made = picture.picture_plan("small", reduced.configuration("sdxl"))
    text, other = made.stages[:2]
    assert made.memory["weights"] == sum(sum(stage.weights.values()) for stage in made.stages)
    assert not text.weights.keys() & other.weights.keys()
    assert made.memory["largest stage alone"] < made.memory["total"]


@pytest.mark.slow
def test_sdxl_at_1024_pixels():
    made = picture.picture_plan("sdxl", configurations.named("sdxl"), 1024)
    unet, vae = made.stages[2:]
    assert made.parameters == PUBLISHED["sdxl"]
    assert unet.operations_of("conv") == pytest.approx(2.99e12, rel=1e-3)
    assert unet.operations_of("full_attention") == pytest.approx(0.39e12, rel=1e-2)
    assert vae.operations == pytest.approx(5.25e12, rel=1e-2)
    assert unet.graph.nodes["conv_out"]["shape"] == (128, 128, 4)
    assert vae.graph.nodes["decoder.conv_out"]["shape"] == (1024, 1024, 3)
    assert max(size for name, size in made.buffers().items() if "unet activation" in name) == 80 * 2**20
    assert max(size for name, size in made.buffers().items() if "vae activation" in name) == 2**27
    assert not made.beyond(DEFAULTS)


@pytest.mark.parametrize(
    "arguments, said",
    [
        (("sdxl", "--size", 1000), "--size 1000 is not allowed; multiples of 32 from 64 to 1440 pixels are"),
        (("sdxl", "--context", 77), "--context is of language models; sdxl has --size"),
        (("smollm2", "--size", 512), "--size is of pictures; smollm2 has --context"),
    ],
)
def test_bad_input_is_refused_in_a_line(cli, arguments, said):
    code, out, err = cli("plan", *arguments)
    assert code == 2 and not out and said in err and err.count("\n") == 1


def test_the_command(cli, monkeypatch):
    config = reduced.configuration("sdxl")
    monkeypatch.setattr(configurations, "_all", lambda: {"small": config})
    code, out, _ = cli("plan", "small", "--size", 64, "--bandwidth", 100, "--rate", 1000, "--json")
    found = json.loads(out)
    assert code == 0 and found["size"] == 64 and set(found["parameters"]) == set(PUBLISHED["sdxl"])
    assert set(found["seconds_of_stages"]) == {stage["name"] for stage in found["stages"]}
    code, out, _ = cli("plan", "small", "--size", 64)
    assert code == 0 and "64 × 64 pixels" in out and "every buffer fits" in out
