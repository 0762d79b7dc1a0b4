"""What a run of ``run.sh`` found, as Markdown: ``python tests/gpu/summary.py OUT``."""

import json
import sys
from pathlib import Path
from typing import Any


def read(path: Path) -> Any:
    """What a step wrote; None where it did not end."""
    try:
        return json.loads(path.read_text())
    except (OSError, ValueError):
        return None


out = Path(sys.argv[1])
if variants := read(out / "variants.json"):
    said = "one digest" if variants["agreed"] else "NOT the same bits"
    print(f"{variants['adapter']}: {len(variants['variants'])} variants, {said}: {variants['digest'][:16]}\n")
for path in sorted(out.glob("bench-*.json")):
    if not (found := read(path)):
        continue
    beside = read(out / path.name.replace("bench-", "torch-")) or {"rows": []}
    peer = {(row["test"], row["sequences"]): row["tokens_per_second"] for row in beside["rows"]}
    print(f"{path.stem.removeprefix('bench-')} on {found['adapter']} ({found['driver']}), {found['date']}:")
    print(f"copy {found['bandwidth_bytes_per_second'] / 1e9:.1f} GB/s", end="")
    print(f", PyTorch's {beside['bandwidth_bytes_per_second'] / 1e9:.1f} GB/s\n" if peer else "\n")
    print("| test | sequences | arithmetic | tokens a second | of bandwidth | of rate | PyTorch float16 |")
    print("| --- | ---: | --- | ---: | ---: | ---: | ---: |")
    for row in found["rows"]:
        other = peer.get((row["test"], row["sequences"]))
        values = [row["test"], row["sequences"], row["arithmetic"], f"{row['tokens_per_second']:.1f}"]
        values += [f"{row['bandwidth_share']:.1%}", f"{row['rate_share']:.1%}", f"{other:.1f}" if other else "-"]
        print("| " + " | ".join(map(str, values)) + " |")
    print()
if (failed := out / "failed.txt").exists():
    print(f"What failed:\n\n{failed.read_text()}")
