"""Trace files: read, refused with one line, or drawn from the embedded tables."""

import os

import numpy as np
import pytest

from auction.data import traces
from auction.errors import InputError
from auction.readers import opened

CONV, IMAGE = traces.TRACES["chat"][0], traces.TRACES["image"][0]
IMAGE_HEADER = "gmt_create,predict_status,num_images_per_prompt,num_inference_steps\n"


def write(root, name, text):
    path = root / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


def refusal(call, *arguments):
    with pytest.raises(InputError) as caught:
        call(*arguments)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_token_trace(tmp_path):
    write(tmp_path, CONV, "\ufeffTIMESTAMP,ContextTokens,GeneratedTokens\r\nnow,374,44\r\nthen, 396 ,109.0")
    assert traces.load_trace(tmp_path, "chat").tolist() == [[374, 44], [396, 109]]


def test_a_trace_is_read_once_and_again_where_it_was_written_to(tmp_path, monkeypatch):
    read = []
    monkeypatch.setattr(traces, "opened", lambda path, most: read.append(path) or opened(path, most))
    write(tmp_path, CONV, "TIMESTAMP,ContextTokens,GeneratedTokens\nnow,374,44\n")
    first = traces.load_trace(tmp_path, "chat")
    assert traces.load_trace(tmp_path, "chat") is first and len(read) == 1
    with pytest.raises(ValueError, match="read-only"):
        first[0, 0] = 1
    write(tmp_path, CONV, "TIMESTAMP,ContextTokens,GeneratedTokens\nnow,374,44\nnow,1,2\n")
    assert traces.load_trace(tmp_path, "chat").tolist() == [[374, 44], [1, 2]]


def test_image_trace_keeps_what_succeeded_with_both_counts(tmp_path):
    rows = "a,SUCCEED,1.0,30.0\nb,FAILED,x,-1\nc,PENDING,,\nd,SUCCEED,,30\ne,SUCCEED,0,30\nf,SUCCEED,8,28\n"
    write(tmp_path, IMAGE, IMAGE_HEADER + rows)
    assert traces.load_trace(tmp_path, "image").tolist() == [[1, 30], [8, 28]]


@pytest.mark.parametrize(
    "text", ["", " ", "x", "-1", "1.5", "nan", "inf", "1e30", "1,2"], ids=lambda text: repr(text).strip()
)
def test_bad_count_names_file_row_and_column(tmp_path, text):
    path = write(tmp_path, CONV, f'TIMESTAMP,ContextTokens,GeneratedTokens\nnow,1,1\nnow,5,"{text}"\n')
    message = refusal(traces.load_trace, tmp_path, "chat")
    assert message.startswith(f"{path}: row 3, column GeneratedTokens: {text.strip()!r} is not allowed; a whole number")


def test_row_that_is_too_short(tmp_path):
    write(tmp_path, CONV, "TIMESTAMP,ContextTokens,GeneratedTokens\nnow,5\n")
    assert "row 2, column GeneratedTokens: ''" in refusal(traces.load_trace, tmp_path, "chat")


@pytest.mark.parametrize("text", ["x", "-3"])
def test_bad_count_of_images(tmp_path, text):
    write(tmp_path, IMAGE, IMAGE_HEADER + f"a,SUCCEED,{text},30\n")
    assert "row 2, column num_images_per_prompt" in refusal(traces.load_trace, tmp_path, "image")


@pytest.mark.parametrize("text", ["", "TIMESTAMP,ContextTokens\nnow,1\n"])
def test_missing_column(tmp_path, text):
    path = write(tmp_path, CONV, text)
    message = refusal(traces.load_trace, tmp_path, "chat")
    assert message.startswith(f"{path}: has no column") and "GeneratedTokens" in message


def test_missing_file_directory_in_its_place_and_foreign_bytes(tmp_path):
    assert "cannot be read (No such file" in refusal(traces.load_trace, tmp_path, "chat")
    path = write(tmp_path, CONV, b"\xff\xfe\x00\x81")
    assert "UTF-8" in refusal(traces.load_trace, tmp_path, "chat")
    path.unlink()
    path.mkdir()
    assert "cannot be read" in refusal(traces.load_trace, tmp_path, "chat")


@pytest.mark.parametrize(
    ("name", "text"),
    [(CONV, "TIMESTAMP,ContextTokens,GeneratedTokens\n"), (IMAGE, IMAGE_HEADER + "a,FAILED,1,30\n")],
)
def test_no_usable_row(tmp_path, name, text):
    write(tmp_path, name, text)
    trace = "chat" if name == CONV else "image"
    assert "no usable row" in refusal(traces.load_trace, tmp_path, trace)


def test_offers_are_medians_for_one_card(tmp_path):
    rows = "RTX_4090,1,0.40\nRTX_4090,2,0.60\nRTX_4090,1,0.50\nA40,4,2.0\n"
    write(tmp_path, traces.OFFERS, "gpu,count,price_usd_hr\n" + rows)
    assert traces.load_offers(tmp_path) == {"A40 PCIe": 0.5, "GeForce RTX 4090": 0.4}


@pytest.mark.parametrize(
    ("row", "column", "allowed"),
    [
        ("ABACUS,1,0.4", "gpu", "one of A100_PCIE"),
        ("A40,0,0.4", "count", "from 1"),
        ("A40,two,0.4", "count", "whole number"),
        ("A40,1,0", "price_usd_hr", "above 0"),
        ("A40,1,-1", "price_usd_hr", "above 0"),
        ("A40,1,nan", "price_usd_hr", "above 0"),
        ("A40,1,", "price_usd_hr", "above 0"),
    ],
)
def test_bad_offer(tmp_path, row, column, allowed):
    write(tmp_path, traces.OFFERS, f"gpu,count,price_usd_hr\n{row}\n")
    message = refusal(traces.load_offers, tmp_path)
    assert f"row 2, column {column}: " in message and allowed in message


def test_option_precedes_the_environment(tmp_path, monkeypatch):
    one, other = tmp_path / "one", tmp_path / "other"
    one.mkdir()
    other.mkdir()
    monkeypatch.delenv(traces.VARIABLE, raising=False)
    assert traces.data_directory("") is None
    assert traces.data_directory(str(one)) == one
    monkeypatch.setenv(traces.VARIABLE, str(other))
    assert traces.data_directory("") == other
    assert traces.data_directory(str(one)) == one
    assert traces.data_directory("embedded") is None
    monkeypatch.setenv(traces.VARIABLE, str(tmp_path / "none"))
    assert refusal(traces.data_directory, "").startswith(f"{traces.VARIABLE}: ")
    assert refusal(traces.data_directory, "nowhere").startswith("option data: 'nowhere' is not a directory")
    monkeypatch.setenv(traces.VARIABLE, "")
    assert traces.data_directory("") is None


@pytest.mark.parametrize("trace", traces.TOKENS)
def test_embedded_draws_reproduce_the_quantiles(trace):
    drawn = traces.draw_requests(trace, 200_000, np.random.default_rng(0), None)
    for column, table in enumerate(traces.TOKENS[trace]):
        assert len(table) == len(traces.PERCENT) and list(table) == sorted(table)
        for percent in (5, 25, 50, 75, 95):
            measured = table[traces.PERCENT.index(percent)]
            assert np.percentile(drawn[:, column], percent) == pytest.approx(measured, rel=0.06, abs=1)
        assert drawn[:, column].min() >= table[0] and drawn[:, column].max() <= table[-1]


def test_embedded_images_have_their_shares():
    drawn = traces.draw_requests("image", 200_000, np.random.default_rng(0), None)
    for column, table in enumerate(traces.IMAGES):
        assert sum(table.values()) == 1000
        assert set(np.unique(drawn[:, column])) <= set(table)
        for value, share in table.items():
            assert np.mean(drawn[:, column] == value) == pytest.approx(share / 1000, abs=0.005)


def test_rows_of_a_file_are_drawn_whole():
    rows = np.array([[1, 10], [2, 20], [3, 30]])
    drawn = traces.draw_requests("chat", 300, np.random.default_rng(0), rows)
    assert (drawn[:, 1] == 10 * drawn[:, 0]).all() and set(drawn[:, 0]) == {1, 2, 3}


def test_arrivals_are_seconds_since_the_first_ascending(tmp_path):
    rows = "2023-11-16 18:15:50.5000000,1,1\n2023-11-16 18:15:46.2500000,1,1\n2023-11-17 18:15:46.25,1,1\n"
    write(tmp_path, CONV, "TIMESTAMP,ContextTokens,GeneratedTokens\n" + rows)
    assert traces.load_arrivals(tmp_path, "chat").tolist() == [0.0, 4.25, 86_400.0]


def test_bad_arrivals_are_refused(tmp_path):
    path = write(tmp_path, CONV, "TIMESTAMP,ContextTokens\n2023-11-16 18:15:50,1\nnoon,1\n")
    message = refusal(traces.load_arrivals, tmp_path, "chat")
    assert message.startswith(f"{path}: row 3, column TIMESTAMP: 'noon' is not allowed")
    write(tmp_path, CONV, "TIMESTAMP,ContextTokens\n")
    assert "no usable row" in refusal(traces.load_arrivals, tmp_path, "chat")
    rng = np.random.default_rng(0)
    for call in (lambda: traces.load_arrivals(tmp_path, "image"), lambda: traces.draw_arrivals("image", 3, rng, None)):
        assert "there are chat, code" in refusal(call)
    assert "holds 2 arrivals; 3 are needed" in refusal(traces.draw_arrivals, "chat", 3, rng, np.array([0.0, 1.0]))


@pytest.mark.parametrize("trace", traces.GAPS)
def test_embedded_gaps_reproduce_the_quantiles(trace):
    arrival = traces.draw_arrivals(trace, 200_000, np.random.default_rng(0), None)
    table = np.array(traces.GAPS[trace])
    assert arrival[0] == 0 and (np.diff(arrival) >= 0).all()
    assert table.size == len(traces.PERCENT) and (np.diff(table) > 0).all()
    for percent in (25, 50, 75, 95):
        measured = table[traces.PERCENT.index(percent)] / 1e6
        assert np.percentile(np.diff(arrival), percent) == pytest.approx(measured, rel=0.06)
    assert traces.draw_arrivals(trace, 0, np.random.default_rng(0), None).size == 0


def test_a_stretch_of_recorded_arrivals_is_drawn_whole():
    recorded = np.array([0.0, 1.0, 3.0, 7.0, 15.0])
    rng = np.random.default_rng(0)
    drawn = {tuple(traces.draw_arrivals("code", 3, rng, recorded)) for _ in range(50)}
    assert drawn == {(0.0, 1.0, 3.0), (0.0, 2.0, 6.0), (0.0, 4.0, 12.0)}


@pytest.mark.skipif(not os.environ.get(traces.VARIABLE), reason=f"{traces.VARIABLE} names no directory of traces")
def test_embedded_tables_agree_with_the_published_files():
    directory = traces.data_directory("")
    for trace, tables in traces.TOKENS.items():
        rows = traces.load_trace(directory, trace)
        for column, table in enumerate(tables):
            # Half to even, as the table was rounded.
            assert np.rint(np.percentile(rows[:, column], traces.PERCENT)).astype(int).tolist() == list(table)
    images = traces.load_trace(directory, "image")
    assert len(images) == 26_823 - 431
    for column, table in enumerate(traces.IMAGES):
        for value, share in table.items():
            assert np.mean(images[:, column] == value) == pytest.approx(share / 1000, abs=0.006)
    embedded = traces.draw_requests("image", 200_000, np.random.default_rng(0), None)
    assert embedded.prod(axis=1).mean() == pytest.approx(images.prod(axis=1).mean(), rel=0.02)
    assert traces.load_offers(directory) == pytest.approx(traces.load_offers(None))
    for trace, gaps in traces.GAPS.items():
        recorded = traces.load_arrivals(directory, trace)
        assert 1e6 * np.percentile(np.diff(recorded), traces.PERCENT) == pytest.approx(gaps, abs=1.0)
        drawn = traces.draw_arrivals(trace, 200_000, np.random.default_rng(0), None)
        assert drawn[-1] / drawn.size == pytest.approx(recorded[-1] / recorded.size, rel=0.2)
