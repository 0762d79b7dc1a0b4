"""One phase of a zk-SNARK of a perceptron by ezkl (Halo 2 with KZG), in a process of its own to measure its memory.

    python -P prover.py PHASE DIRECTORY [WIDTH ...]

prints a line of JSON: CPU seconds (all threads), wall seconds, peak resident bytes. Needs the extra ``zk`` and nothing
of this package, whose imports would be counted: it is run as a file, not as a module. No network: the structured
reference string is generated here, which is for tests only, since whoever generates it can forge proofs.
"""

import json
import re
import resource
import sys
import time
from itertools import pairwise
from pathlib import Path

PHASES = ("circuit", "srs", "setup", "prove", "verify")
MEMORY = 12 * 2**30  # bytes of address space a phase may use
SECONDS = 1200  # CPU seconds of a phase: ten minutes of two cores


def write_model(path: Path, widths: list[int]) -> None:
    """A perceptron with ReLU between its layers as an ONNX file; weights ~ N(0, 1 / fan-in), seed 0."""
    import numpy as np
    import onnx
    from onnx import TensorProto, helper, numpy_helper

    rng = np.random.default_rng(0)
    nodes, weights, value = [], [], "input"
    for layer, (fan_in, fan_out) in enumerate(pairwise(widths)):
        matrix = rng.normal(0, fan_in**-0.5, (fan_in, fan_out)).astype(np.float32)
        weights.append(numpy_helper.from_array(matrix, f"w{layer}"))
        nodes.append(helper.make_node("MatMul", [value, f"w{layer}"], [f"h{layer}"]))
        value = f"h{layer}"
        if layer < len(widths) - 2:
            nodes.append(helper.make_node("Relu", [value], [f"r{layer}"]))
            value = f"r{layer}"
    ends = [
        helper.make_tensor_value_info(name, TensorProto.FLOAT, [1, width])
        for name, width in (("input", widths[0]), (value, widths[-1]))
    ]
    graph = helper.make_graph(nodes, "perceptron", ends[:1], ends[1:], weights)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8)
    onnx.save(model, path)
    sample = rng.uniform(-1, 1, widths[0]).tolist()
    path.with_name("input.json").write_text(json.dumps({"input_data": [sample]}))


def perform(phase: str, files: Path, widths: list[int]) -> None:
    """Run one phase on the files in a directory, which the phases before it left there."""
    import ezkl

    model, compiled, settings, data = (
        str(files / name) for name in ("m.onnx", "m.ezkl", "settings.json", "input.json")
    )
    pk, vk, witness, proof = (str(files / name) for name in ("pk", "vk", "witness.json", "proof.json"))
    if phase == "circuit":
        write_model(Path(model), widths)
        ezkl.gen_settings(model, settings)
        ezkl.calibrate_settings(data, model, settings, "resources")
        ezkl.compile_circuit(model, compiled, settings)
        ezkl.gen_witness(data, compiled, witness)
        return
    logrows = json.loads(Path(settings).read_text())["run_args"]["logrows"]
    srs = str(files / f"srs{logrows}")
    if phase == "srs":
        ezkl.gen_srs(srs, logrows)
    elif phase == "setup":
        ezkl.setup(compiled, vk, pk, srs)
    elif phase == "prove":
        ezkl.prove(witness, compiled, pk, proof, srs)
    elif not ezkl.verify(proof, settings, vk, srs):
        raise SystemExit("the proof does not verify")


def main() -> None:
    phase, directory, *widths = sys.argv[1:]
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    resource.setrlimit(resource.RLIMIT_CPU, (SECONDS, SECONDS))
    cpu, wall = time.process_time(), time.perf_counter()
    perform(phase, Path(directory), [int(width) for width in widths])
    # The kernel's high-water mark of this very process; getrusage's would begin with the parent's.
    peak = re.search(r"VmHWM:\s+(\d+) kB", Path("/proc/self/status").read_text())
    assert peak
    print(
        json.dumps(
            {
                "cpu": time.process_time() - cpu,
                "wall": time.perf_counter() - wall,
                "memory": 1024 * int(peak.group(1)),
            }
        )
    )


if __name__ == "__main__":
    main()
