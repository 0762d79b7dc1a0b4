"""``tiles``: a model's manifest and tiles in a folder, from which a referee loads what a step reads, with proofs."""

import json
from pathlib import Path

from verification.commands.progress import working
from verification.commands.source import Source
from verification.files import appearing, check_new
from verification.manifest import tile_count
from verification.terminal import printable
from verification.tile_store import Store, write


def tiles(source: Source, model: str, out: Path, as_json: bool) -> None:
    """Write the store of a model; print its digest, by which all parties name it, and how much there is.

    Raises:
        InputError: a folder that is there already, or cannot be written.
    """
    check_new(out)
    with working(f"reading the model {model}"):
        described = source.model(model)
    with working("hashing and writing its tiles"), appearing(out) as folder:
        digest = write(folder, described)
    constants = Store(out).content["constants"].values()
    count, size = sum(tile_count(each["shape"]) for each in constants), (out / "tiles").stat().st_size
    if as_json:
        print(json.dumps({"model": digest, "constants": len(constants), "tiles": count, "bytes": size}))
    else:
        print(f"model {digest}", f"{len(constants)} constants, {count:,} tiles, {size:,} bytes", sep="\n")
        print(printable(f"replay with it: python -m verification replay TRANSCRIPT --referee KEY --tiles {out}"))
