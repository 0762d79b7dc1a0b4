"""Corner cases of integers and one digest of the tiny model for every variant of a kernel, on one adapter, as JSON.

``python tests/gpu/variants.py ADAPTER``; the exit code is 1 where anything differs from the reference in numpy.
"""

import json
import sys

from inference import models
from inference.conformance import LIMIT, PROMPT, by_variant, failures
from inference.device.device import Device
from inference.generate import generate
from inference.models.llama import model
from inference.reference import Reference

tiny = model("tiny", models.find("tiny"), "exact")
device = Device("wgpu", sys.argv[1], lanes=64)
expected = generate(Reference(tiny), PROMPT, limit=LIMIT).digest
digests, wrong = by_variant(tiny, device), failures(device)
agreed = not wrong and set(digests.values()) == {expected}
print(
    json.dumps({"adapter": device.name, "agreed": agreed, "failures": wrong, "digest": expected, "variants": digests})
)
sys.exit(not agreed)
