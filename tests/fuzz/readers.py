"""Every reader of files that anybody may have written: good files to begin with, and what is done with one.

A reader may raise its package's ``InputError`` or ``Refusal``, one line; anything else is a finding.
"""

import gzip
import json
import os
from base64 import b64encode
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any
from unittest.mock import patch

import gguf
import numpy as np
import pandas as pd
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from safetensors.numpy import save_file
from tokenizers import Tokenizer, models

from auction import read as read_market_of
from auction import solve
from auction.allocation import check
from auction.certificate import Certificate, derived_bound
from auction.data import devices, traces
from auction.errors import InputError as AuctionError
from auction.files import (
    read_certificate,
    read_market,
    read_outcome,
    summary_of,
    write_certificate,
    write_market,
    write_outcome,
)
from auction.market import Market
from auction.tables import notes
from auction.tables.writing import market_tables, write_csv, write_parquet
from inference.errors import InputError as InferenceError
from inference.files import gguf_file, model_file, safetensors_file
from inference.files.reading import read_model
from inference.files.tokenizer import Text
from inference.generate import generate
from inference.model import Llama, Model
from inference.models.llama import check as check_model
from inference.models.llama import model
from inference.models.tiny import tiny
from inference.reference import Reference
from verification import tile_store
from verification.adversaries.listing import cheat
from verification.commands.commit import NO_MARKET, signed_root
from verification.commands.replay import rules_of_market
from verification.computation import Computation
from verification.contest import contest
from verification.dispute.messages import KINDS
from verification.dispute.transcript import KEYS, replay
from verification.encoding.canonical import canonical, parsed
from verification.encoding.request import request
from verification.encoding.schema import read as read_content
from verification.encoding.signature import public
from verification.errors import InputError as VerificationError
from verification.errors import Refusal
from verification.files import read
from verification.inference_models import Models
from verification.ledger.inspect import inspect
from verification.ledger.store import Ledger
from verification.market.operations import OPERATIONS
from verification.market.rules import Rules
from verification.result import sign_result
from verification.task import Task, read_task
from verification.trace import Trace, record


@dataclass(frozen=True)
class Reader:
    """``seeds`` writes good inputs into folders below one that is empty; ``read`` takes a folder like them."""

    seeds: Callable[[Path], None]
    read: Callable[[Path], object]
    errors: tuple[type[Exception], ...] = (AuctionError, InferenceError, VerificationError, Refusal)


@cache
def market(types: int = 2) -> Market:
    return Market(
        demand=[[2, 1][:types], [0, 3][-types:], [1, 1][:types]],
        value=[9_000_000, 5_000_000, 4_000_000],
        unit_work=[0.5, 0.1][:types],
        alpha=10,
        beta=1,
        resource=[[2, 2][:types], [1, 3][:types], [3, 0][:types], [1, 1][:types]],
        slots=[1, 2, 1, 0],
        cost=[1_000_000, 700_000, 0, 5],
        ability=[[1.0, 0.5][:types], [0.5, 1.0][:types], [0.25, 0.0][:types], [1.0, 1.0][:types]],
    )


def folder(root: Path, name: str) -> Path:
    (root / name).mkdir()
    return root / name


def write_markets(suffix: str) -> Callable[[Path], None]:
    def seeds(root: Path) -> None:
        for types in (1, 2):
            write_market(folder(root, f"{types}") / f"market{suffix}", market(types))

    return seeds


TABLES = ("tasks", "providers", "types")


def write_tables(suffix: str) -> Callable[[Path], None]:
    """Tables of two markets; CSV with commas and with semicolons and decimal commas, plain and in long form."""

    def seeds(root: Path) -> None:
        for types in (1, 2):
            to = folder(root, f"{types}")
            for name, table in market_tables(market(types)).items():
                path = to / f"{name}{suffix}"
                if suffix == ".parquet":
                    write_parquet(path, table)
                elif suffix == ".xlsx":
                    pd.DataFrame(table).to_excel(path, index=False)
                else:
                    write_csv(plain := to / f"{name}.csv", table)
                    text = plain.read_text("utf-8-sig")
                    plain.unlink()
                    head, _, rows = text.replace(",", ";").partition("\n")
                    content = (text if types == 1 else f"{head}\n{rows.replace('.', ',')}").encode()
                    path.write_bytes(gzip.compress(content, mtime=0) if suffix == ".csv.gz" else content)
        if suffix == ".csv":
            to = folder(root, "long")
            (to / "tasks.csv").write_text("task,value,arrival,type,requests\na,1.5,0.5,x,2\na,,,y,1\nb,2,1,y,3\n")
            (to / "providers.csv").write_text("provider,cost [micro],slots,x,y,x.ability\np,7,2,1,1,0.5\n")
            (to / "types.csv").write_text("type,unit_work\nx,0.5\ny,1e-3\n")

    return seeds


def read_tables(suffix: str) -> Callable[[Path], None]:
    def import_tables(path: Path) -> None:
        tasks, providers, types = (path / f"{name}{suffix}" for name in TABLES)
        loaded = read_market_of(tasks, providers, types=types)
        notes.warnings(loaded), notes.taken_for_granted(loaded), loaded.digest

    return import_tables


def write_outcomes(root: Path) -> None:
    for solver in ("greedy", "brute_force"):
        write_outcome(folder(root, solver) / "outcome.json", solve(market(), solver))


def judge(path: Path) -> None:
    outcome = read_outcome(path / "outcome.json")
    check(market(), outcome.allocation, outcome.reading)
    summary_of(outcome)


def write_certificates(root: Path) -> None:
    price = np.array([100_000, 0, 5, 0])
    vector = np.unique(np.minimum(market().resource, market().demand.max(axis=0)), axis=0)
    given = [(price, None, None), (np.arange(len(vector)), vector, None), (price, None, np.array([2, 1]))]
    for number, each in enumerate(given):
        bound = derived_bound(market(), "bundle", *each)
        certificate = Certificate(market().digest, "bundle", bound, *each)
        write_certificate(folder(root, f"{number}") / "certificate.json", certificate)


def derive(path: Path) -> None:
    found = read_certificate(path / "certificate.json")
    derived_bound(market(), found.reading, found.price, found.vector, found.unit, repeat=found.repeat)


def write_devices(root: Path) -> None:
    small = {"name": "small", "family": "llama", "arithmetic": "exact", "parameters": 134_515_008}
    small |= {"weight_bytes": 96_436_224, "prefill_tokens_per_second": 70.0, "decode_tokens_per_second": 23.0}
    device = {"name": "host", "adapter": "llvmpipe", "backend": "wgpu", "date": "2026-11-25", "memory_bytes": 2**33}
    content = {"devices": [device | {"models": [small]}, device | {"models": [small, small | {"parameters": 7}]}]}
    (folder(root, "devices") / "devices.json").write_text(json.dumps(content))


def write_traces(root: Path) -> None:
    top = folder(root, "traces")
    tokens = "TIMESTAMP,ContextTokens,GeneratedTokens\n2023-11-16 18:17:03.97,374,44\n2023-11-16 18:17:04.03,396,109\n"
    images = "gmt_create,predict_status,num_images_per_prompt,num_inference_steps\na,SUCCEED,1.0,30.0\nb,FAILED,,\n"
    offers = "gpu,count,price_usd_hr\nRTX_A6000,2,0.85\nTesla_V100,1,0.1\n"
    written = {traces.TRACES["chat"][0]: tokens, traces.TRACES["image"][0]: images, traces.OFFERS: offers}
    for name, text in written.items():
        (top / name).parent.mkdir(parents=True, exist_ok=True)
        (top / name).write_text(text)


def read_traces(path: Path) -> None:
    for load in (
        lambda: traces.load_trace(path, "chat"),
        lambda: traces.load_trace(path, "image"),
        lambda: traces.load_arrivals(path, "chat"),
    ):
        with suppress(AuctionError):
            load()
    traces.load_offers(path)


def write_workbook(root: Path) -> None:
    source = Path(os.environ["DISTRIBUTE_LAB_DATA"]) / workbook.FOLDER
    target = folder(root, "workbook") / workbook.FOLDER
    target.mkdir(parents=True)
    for sheet in sorted(source.glob("*.csv")):
        (target / sheet.name).write_bytes(sheet.read_bytes())


GGUF_NAMES = {"embedding": "token_embd.weight", "norm": "output_norm.weight"}


TOKENS = ["<|end|>", "a", "b", "c", "ab", "abc", *(f"t{number}" for number in range(250))]
TOKENIZER = {
    "tokenizer.ggml.model": "gpt2",
    "tokenizer.ggml.pre": "smollm",
    "tokenizer.ggml.tokens": TOKENS,
    "tokenizer.ggml.merges": ["a b", "ab c"],
    "tokenizer.ggml.token_type": [3] + [1] * (len(TOKENS) - 1),
}


def _named(llama: Llama) -> dict[str, np.ndarray]:
    return {name: matrix.matrix() for name, matrix in llama.matrices.items() if name != "head"} | llama.gains


def write_ggufs(root: Path) -> None:
    llama = tiny()
    for kind in (gguf.GGMLQuantizationType.F32, gguf.GGMLQuantizationType.Q4_1):
        writer = gguf.GGUFWriter(folder(root, kind.name) / "model.gguf", "llama")
        measures = {"block_count": llama.layers, "embedding_length": llama.width, "context_length": llama.context}
        measures |= {"attention.head_count": llama.heads, "attention.head_count_kv": llama.kv_heads}
        for key, value in (measures | {"feed_forward_length": llama.hidden}).items():
            writer.add_uint32(f"llama.{key}", value)
        writer.add_float32("llama.attention.layer_norm_rms_epsilon", llama.epsilon)
        writer.add_float32("llama.rope.freq_base", llama.theta)
        writer.add_tokenizer_model(TOKENIZER["tokenizer.ggml.model"])
        writer.add_tokenizer_pre(TOKENIZER["tokenizer.ggml.pre"])
        writer.add_token_list(TOKENIZER["tokenizer.ggml.tokens"])
        writer.add_token_merges(TOKENIZER["tokenizer.ggml.merges"])
        writer.add_token_types(TOKENIZER["tokenizer.ggml.token_type"])
        writer.add_eos_token_id(0)
        writer.add_tensor("rope_freqs.weight", np.ones(llama.head_width // 2, np.float32))
        for name, values in _named(llama).items():
            file_name = GGUF_NAMES.get(name) or f"blk.{int(name[5:7])}.{gguf_file.NAMES[name[8:]]}.weight"
            if values.ndim == 2 and kind != gguf.GGMLQuantizationType.F32:
                writer.add_tensor(file_name, gguf.quantize(values, kind), raw_dtype=kind)
            else:
                writer.add_tensor(file_name, values)
        writer.write_header_to_file()
        writer.write_kv_data_to_file()
        writer.write_tensors_to_file()
        writer.close()


def write_tokenizer(path: Path) -> None:
    words = {"a": 0, "b": 1, "c": 2, "ab": 3, "abc": 4}
    Tokenizer(models.BPE(words, [("a", "b"), ("ab", "c")])).save(str(path))


def write_directory(root: Path) -> None:
    llama, top = tiny(), folder(root, "model")
    config = {"architectures": ["LlamaForCausalLM"], "num_hidden_layers": llama.layers, "hidden_size": llama.width}
    config |= {"num_attention_heads": llama.heads, "num_key_value_heads": llama.kv_heads, "head_dim": llama.head_width}
    config |= {"intermediate_size": llama.hidden, "vocab_size": llama.vocabulary, "rope_theta": 10000.0}
    config |= {
        "max_position_embeddings": llama.context,
        "rms_norm_eps": 1e-5,
        "eos_token_id": [3],
        "rope_scaling": None,
    }
    (top / "config.json").write_text(json.dumps(config))
    write_tokenizer(top / "tokenizer.json")
    tensors = {}
    names = {"embedding": "model.embed_tokens.weight", "norm": "model.norm.weight"}
    for name, values in _named(llama).items():
        key = names.get(name) or f"model.layers.{int(name[5:7])}.{safetensors_file.NAMES[name[8:]]}.weight"
        tensors[key] = np.ascontiguousarray(values)
    save_file(tensors, top / "model.safetensors")


def convert(llama: Llama) -> None:
    """What a run does first with what was read."""
    text = Text(llama.tokenizer, llama.vocabulary)
    text.decode(text.encode("abc ab"))
    for arithmetic in ("exact", "float32"):
        model("fuzzed", llama, arithmetic)


def write_saved(root: Path) -> None:
    for arithmetic in ("exact", "float32"):
        built = model("tiny", tiny(), arithmetic)
        model_file.save(folder(root, arithmetic) / "model.npz", built, TOKENIZER)


class Forged:
    """The digest that a file states, whatever the model is: who writes a file can compute it."""

    def __eq__(self, _: object) -> bool:
        return True

    __hash__ = None


def load_saved(path: Path) -> None:
    with patch.object(Model, "digest", Forged()):
        built, fields = model_file.load(path / "model.npz")
    check_model(built)
    Text(fields, built.measures["vocabulary"]).encode("abc")
    generate(Reference(built), [0, 1], limit=2)


def tokenize(path: Path) -> None:
    text = Text({"tokenizer.json": (path / "tokenizer.json").read_text("utf-8", "replace")}, 256)
    text.decode(text.encode("abc ab"))


TEMPLATE = """{% set ns = namespace(first=true) %}{% for message in messages %}
{% if loop.first and not message['system'] %}{{ '<|im_start|>' + message.role ~ "\\n" }}{% endif %}
{{ message['content'] | trim }}{% set ns.first = false %}{{- '<|im_end|>' * (loop.index // 1) }}{% endfor %}
{% if add_generation_prompt %}{{ '<|im_start|>assistant' }}{% endif %}"""


def write_template(root: Path) -> None:
    (folder(root, "template") / "template.jinja").write_text(TEMPLATE)


def fill(path: Path) -> None:
    Text({"tokenizer.chat_template": (path / "template.jinja").read_bytes().decode(errors="replace")}, 256).chat("Hi")


@cache
def dispute() -> tuple[dict[str, Any], Task, Computation, Trace]:
    """A transcript of a cheat in the tiny model, what it is about, and the cheat's trace."""
    task = Task("tiny", (72, 105), 2, 0, 0)
    computation = Models().computation(task, "numpy", None)
    wrong, right = record(computation, keep_all=True), record(computation, keep_all=True)
    wrong = cheat(wrong, "silent-at-open")
    held = contest(task, computation, wrong, right, Models().prompt_chunk)
    return json.loads(json.dumps(held.transcript)), task, computation, wrong


def write_transcript(root: Path) -> None:
    (folder(root, "dispute") / "transcript.json").write_text(json.dumps(dispute()[0]))


def read_transcript(path: Path) -> None:
    content = read(path / "transcript.json", KEYS, "a transcript")
    read_task(content["task"])
    with suppress(Refusal):
        rules_of_market(content, content["referee"])
    replay(content, dispute()[2], content["referee"], Rules())


def write_result(root: Path) -> None:
    _, task, _, wrong = dispute()
    key = Ed25519PrivateKey.from_private_bytes(b"d" * 32)
    result, output = sign_result(key, NO_MARKET, task.name, wrong)
    content = {"task": task.plain(), "result": parsed(result.raw), "output": b64encode(output).decode()}
    (folder(root, "result") / "result.json").write_text(json.dumps(content))


def read_result(path: Path) -> None:
    content = read(path / "result.json", {"task", "result", "output"}, "a result")
    signed_root(content, read_task(content["task"]), dispute()[2])


def write_messages(root: Path) -> None:
    messages = [entry["message"] for entry in dispute()[0]["entries"]]
    for number, message in enumerate(messages):
        (folder(root, f"{number}") / "message.json").write_bytes(canonical(message))


def read_message(path: Path) -> None:
    """As if whoever wrote it had signed it."""
    envelope = parsed((path / "message.json").read_bytes())
    if isinstance(envelope, dict) and isinstance(envelope.get("kind"), str) and envelope["kind"] in KINDS:
        read_content(KINDS[envelope["kind"]], envelope.get("content"))


def write_ledger(root: Path) -> None:
    key = Ed25519PrivateKey.from_private_bytes(b"c" * 32)
    content = {"coordinator": public(key), "rules": Rules().plain(), "protocol": "0" * 64}
    with Ledger.create(folder(root, "ledger") / "ledger.db", key, content, OPERATIONS) as ledger:
        for since in (0, 6, 12):
            ledger.perform(request(key, "advance", ledger.market, {"since": since, "ticks": 6}))


def read_ledger(path: Path) -> None:
    inspect(path / "ledger.db", OPERATIONS)
    with Ledger(path / "ledger.db", OPERATIONS):
        pass


def write_store(root: Path) -> None:
    tile_store.write(root / "store", Models().model("tiny"))


def read_store(path: Path) -> None:
    store = tile_store.Store(path)
    computation = Models().stored(Task("tiny", (72, 105), 2, 0, 0), store)
    for node in range(len(computation.nodes)):
        computation.steps(node, 0)
    for name in store.content["constants"]:
        computation.tiles.tile(name, 0)


READERS = {
    "market-json": Reader(write_markets(".json"), lambda path: read_market(path / "market.json").digest),
    "market-npz": Reader(write_markets(".npz"), lambda path: read_market(path / "market.npz").digest),
    **{
        f"tables-{suffix[1:].replace('.', '-')}": Reader(write_tables(suffix), read_tables(suffix))
        for suffix in (".csv", ".csv.gz", ".xlsx", ".parquet")
    },
    "outcome": Reader(write_outcomes, judge),
    "certificate": Reader(write_certificates, derive),
    "devices": Reader(write_devices, lambda path: devices.read_devices(path / "devices.json")),
    "traces": Reader(write_traces, read_traces),
    "gguf": Reader(write_ggufs, lambda path: convert(read_model(path / "model.gguf"))),
    "hugging-face": Reader(write_directory, lambda path: convert(read_model(path))),
    "tokenizer": Reader(lambda root: write_tokenizer(folder(root, "tokenizer") / "tokenizer.json"), tokenize),
    "chat-template": Reader(write_template, fill),
    "saved-model": Reader(write_saved, load_saved),
    "result": Reader(write_result, read_result),
    "transcript": Reader(write_transcript, read_transcript),
    "ledger": Reader(write_ledger, read_ledger),
    "message": Reader(write_messages, read_message),
    "store": Reader(write_store, read_store),
}
if os.environ.get("DISTRIBUTE_LAB_DATA"):  # sheets of a published scenario
    from experiments.claims.densities_follow_earlier_work import workbook

    READERS["workbook"] = Reader(write_workbook, workbook.load)
