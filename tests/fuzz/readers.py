"""Every reader of files that anybody may have written."""

import os

import pyarrow
from market_readers import (
    derive,
    judge,
    read_tables,
    read_traces,
    read_workbook,
    write_bids,
    write_certificates,
    write_devices,
    write_markets,
    write_outcomes,
    write_tables,
    write_traces,
    write_workbook,
)
from model_readers import (
    convert,
    fill,
    load_saved,
    tokenize,
    write_directory,
    write_ggufs,
    write_saved,
    write_template,
    write_tokenizer,
)
from picture_readers import read_diffusers, read_onnx, read_picture, write_diffusers, write_onnx, write_pictures
from reader import Reader, folder
from verification_readers import (
    read_ledger,
    read_message,
    read_result,
    read_store,
    read_transcript,
    write_ledger,
    write_messages,
    write_result,
    write_store,
    write_transcript,
)

from auction.data import devices
from auction.files import read_market
from inference.files.reading import read_model

pyarrow.set_memory_pool(pyarrow.system_memory_pool())  # the default reserves a GiB of addresses, which the limit counts

READERS = {
    "market-json": Reader(write_markets(".json"), lambda path: read_market(path / "market.json").digest),
    "bids": Reader(write_bids, lambda path: read_market(path / "bids.txt").digest),
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
    "onnx": Reader(write_onnx, read_onnx),
    "diffusers": Reader(write_diffusers, read_diffusers),
    "picture": Reader(write_pictures, read_picture),
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
    READERS["workbook"] = Reader(write_workbook, read_workbook)
