"""Mutational fuzzing of the readers of untrusted files.

    python tests/fuzz/fuzz.py market-json gguf --seconds 600 --seed 0    # all readers where none is named
    python tests/fuzz/fuzz.py gguf --replay findings/gguf-0-1234

Input number i of a seed is always the same. It is read in a child process. That it is read or refused with one line is
right; anything else is a finding: another exception, more than SECONDS of processor time, more than BYTES of memory
beyond what the process had, its death. Of findings of one kind (exception and line of code) the first is kept with its
files in the folder of findings; the exit code is 1 where there is any.
"""

import argparse
import json
import os
import random
import resource
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import traceback
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mutation import mutated

if TYPE_CHECKING:
    from reader import Reader

TESTS = Path(__file__).parents[1]
sys.path += [str(TESTS / each) for each in ("pictures", "inference/tokens", "inference/models/diffusion")]  # of seeds
SECONDS = 5
BYTES = 1 << 30
Plan = tuple[str, int, int, int, float]  # a reader, its seed, its first input, the one after its last, seconds
WALL = 120  # seconds of one input, where it waits rather than computes


def seeds(root: Path) -> list[dict[str, bytes]]:
    """The good inputs that a reader wrote."""
    folders = sorted(path for path in root.iterdir() if path.is_dir())
    return [
        {path.relative_to(folder).as_posix(): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}
        for folder in folders
    ]


def draw_input(name: str, seed: int, number: int, good: list[dict[str, bytes]]) -> dict[str, bytes]:
    """Input ``number``: a good one with one of its files mutated."""
    draw = random.Random(f"{name} {seed} {number}")
    files = dict(draw.choice(good))
    target = draw.choice(sorted(files))
    others = [each[target] for each in good if target in each]
    return files | {target: mutated(draw, target, files[target], others)}


def write_files(folder: Path, files: dict[str, bytes]) -> None:
    for name, content in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(content)


def work(plan: list[Plan], scratch: Path) -> None:
    """Read inputs in this process, the one in progress in ``scratch``; what is found is printed."""
    from readers import READERS

    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    progress = os.open(scratch / "progress", os.O_WRONLY | os.O_CREAT)
    for name, seed, start, number, seconds in plan:
        reader, end, files = READERS[name], time.monotonic() + seconds, scratch / name
        os.pwrite(progress, b" " * 80, 0)
        (files / "seeds").mkdir(parents=True)
        reader.seeds(files / "seeds")
        good = seeds(files / "seeds")
        resource.setrlimit(resource.RLIMIT_DATA, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
        for each in good:  # they are read; what is imported on use is there before memory is limited
            write_files(files / "input", each)
            reader.read(files / "input")
        used = int(Path("/proc/self/status").read_text().split("VmData:")[1].split()[0]) << 10
        resource.setrlimit(resource.RLIMIT_DATA, (used + BYTES, resource.RLIM_INFINITY))
        at, outcomes = start, Counter[str]()
        while at < number and time.monotonic() < end:
            given = draw_input(name, seed, at, good)
            write_files(files / "input", given)
            os.pwrite(progress, f"{name} {at}\n".encode().ljust(80), 0)
            where, what = attempt(reader, files / "input")
            outcomes[where] += 1
            if where not in ("read", "refused"):
                print(json.dumps({"name": name, "number": at, "where": where, "what": what}), flush=True)
                if outcomes[where] == 1:
                    write_files(files / f"{at}", given)
            at += 1
        print(json.dumps({"name": name, "inputs": at, "read": outcomes["read"]}), flush=True)


def attempt(reader: "Reader", folder: Path) -> tuple[str, str]:
    """ "read", "refused", or where it went wrong, and what; beyond SECONDS a signal ends even native code."""
    signal.setitimer(signal.ITIMER_PROF, SECONDS)
    try:
        reader.read(folder)
    except reader.errors as error:
        lines = str(error).splitlines()
        return ("refused" if len(lines) == 1 else f"{type(error).__name__} of {len(lines)} lines"), str(error)
    except BaseException as error:  # noqa: BLE001 whatever else a reader raises is what is looked for
        last = traceback.extract_tb(error.__traceback__)[-1]
        where = f"{type(error).__name__} at {Path(last.filename).name}:{last.lineno}"
        return where, "".join(traceback.format_exception(error))
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
    return "read", ""


def fuzz(
    names: list[str], seed: int, number: int, seconds: float, findings: Path
) -> Iterator[tuple[str, int, int, Counter[str]]]:
    """Each reader's inputs, how many it read, its findings by kind; a child that dies is followed by another."""
    first, left, found = 0, dict.fromkeys(names, seconds), {name: Counter() for name in names}

    def note(name: str, at: int, where: str, what: str, files: Path) -> None:
        found[name][where] += 1
        if found[name][where] == 1:
            kept = findings / f"{name}-{seed}-{at}"
            shutil.copytree(files, kept, dirs_exist_ok=True)
            (kept / "finding.txt").write_text(f"{where}\n\n{what[-4000:]}\n")

    while left:
        plan = [(name, seed, first if name == next(iter(left)) else 0, number, time_) for name, time_ in left.items()]
        began = time.monotonic()
        with tempfile.TemporaryDirectory(prefix="fuzz-") as folder:
            code, rows, errors = _child(plan, Path(folder))
            for row in rows:
                if "where" in row:
                    kept = Path(folder, row["name"], str(row["number"]))
                    note(row["name"], row["number"], row["where"], row["what"], kept)
                else:
                    del left[row["name"]]
                    yield row["name"], row["inputs"], row["read"], found[row["name"]]
                    first, began = 0, time.monotonic()
            if not left:
                return
            name, at = Path(folder, "progress").read_text().split() or ("", 0)
            if name != next(iter(left)):
                raise RuntimeError(f"{next(iter(left))}: good files are not read:\n{errors[-4000:]}")
            died = signal.Signals(-code).name if code < 0 else f"exit code {code}"
            where = {-signal.SIGPROF: f"more than {SECONDS} s", -signal.SIGKILL: "hangs"}.get(code, f"it died: {died}")
            note(name, int(at), where, errors, Path(folder, name, "input"))
            first, left[name] = int(at) + 1, left[name] - (time.monotonic() - began)


def _child(plan: list[Plan], scratch: Path) -> tuple[int, list[dict[str, Any]], str]:
    """Exit code, what was found, what was printed besides."""
    environment = os.environ | {"OMP_NUM_THREADS": "1", "RAYON_NUM_THREADS": "1"}
    with open(scratch / "printed", "wb") as printed, open(scratch / "errors", "wb") as errors:
        command = [sys.executable, "-W", "ignore", __file__, "--work", str(scratch), json.dumps(plan)]
        child = subprocess.Popen(command, stdout=printed, stderr=errors, env=environment)
        seen, since = "", time.monotonic()
        while child.poll() is None:
            time.sleep(0.1)
            now = (scratch / "progress").read_text().strip() if (scratch / "progress").exists() else ""
            if now != seen or not now:  # while good files are written nobody waits for a damaged one
                seen, since = now, time.monotonic()
            elif time.monotonic() - since > WALL:
                child.kill()
    rows = [json.loads(line) for line in (scratch / "printed").read_text().splitlines() if line.startswith("{")]
    return child.returncode, rows, (scratch / "errors").read_text(errors="replace")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("readers", nargs="*")
    parser.add_argument("--seconds", type=float, default=600, help="of each reader")
    parser.add_argument("--number", type=int, default=2**62, help="inputs of each reader, at most")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--jobs", type=int, default=1, help="readers at a time")
    parser.add_argument("--findings", type=Path, default=Path("findings"))
    parser.add_argument("--replay", type=Path, help="a folder of the findings")
    parser.add_argument("--work", type=Path, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.work:
        return work(json.loads(given.readers[0]), given.work)
    from readers import READERS

    if given.replay:
        where, what = attempt(READERS[given.readers[0]], given.replay)
        print(where, what, sep="\n")
        sys.exit(where not in ("read", "refused"))
    names, limits = given.readers or list(READERS), (given.seed, given.number, given.seconds, given.findings)
    failed = False
    with ThreadPoolExecutor(given.jobs) as pool:
        for name, inputs, read, found in pool.map(lambda name: next(fuzz([name], *limits)), names):
            refused = inputs - read - found.total()
            print(f"{name:13}{inputs:9}{read:9} read{refused:9} refused{found.total():7} findings", flush=True)
            for where, count in found.most_common():
                print(f"  {count:7}  {where}", flush=True)
            failed |= bool(found)
    sys.exit(failed)


if __name__ == "__main__":
    main()
