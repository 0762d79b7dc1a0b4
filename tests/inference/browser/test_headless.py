"""The exported programs in real browsers: the digest of the numpy reference."""

from urllib.parse import urlencode

import pytest

from inference import conformance
from inference.browser import headless, tuned
from inference.generate import digest_of, generate
from inference.likeliest import Likeliest
from inference.models.small_picture import small_picture
from inference.reference import Reference

PROMPT, LIMIT = "The capital of France is", 8
SECONDS = 240  # for a browser to start and answer: a time-out, not a measure


@pytest.fixture(scope="module", params=["chromium", "firefox"])
def browser(request):
    if request.param not in headless.installed():
        pytest.skip(f"{request.param} is not installed")
    return request.param


def test_a_browser_has_the_digest_of_the_reference(browser, tiny_model):
    query = urlencode({"model": "tiny", "prompt": PROMPT, "limit": LIMIT, "run": ""})
    [found] = headless.results(browser, [f"/?{query}"], seconds=SECONDS)
    expected = generate(Reference(tiny_model("exact")), list(PROMPT.encode()), limit=LIMIT)
    assert "error" not in found
    assert found["tokens"] == expected.tokens and found["digest"] == expected.digest
    assert found["prefill"] > 0 and found["decode"] > 0


def test_a_browser_draws_talks_and_stops_as_asked(browser, tiny_model):
    """A message in lines, since the tiny model has no template."""
    terms = {"limit": LIMIT, "temperature": 2, "seed": 7, "among": Likeliest(200, 0.99)}
    drawn = generate(Reference(tiny_model("exact")), list(b"user: Hi\nassistant: "), **terms)
    text = bytes(drawn.tokens).decode(errors="replace")
    stop = text[4:6]
    query = {"model": "tiny", "prompt": "Hi", "as": "chat", "limit": LIMIT, "temperature": 2, "seed": 7, "run": ""}
    query |= {"top_k": 200, "top_p": 0.99}
    paths = [f"/?{urlencode(query | more)}" for more in ({}, {"stop": stop})]
    whole, cut = headless.results(browser, paths, seconds=SECONDS)
    assert whole["tokens"] == drawn.tokens and whole["digest"] == drawn.digest and whole["text"] == text
    assert cut["text"] == text[: text.index(stop)] and len(cut["tokens"]) < LIMIT


def test_a_browser_measures_kernels_and_runs_on_with_those_it_chose(browser, tiny_model, monkeypatch):
    """Two cases, of few words."""
    tried = [("matmul_q4", "exact", 16, 0), ("matmul_q8", "exact", 64, 0)]
    monkeypatch.setattr(tuned, "cases", lambda: iter(tried))
    query = urlencode({"model": "tiny", "prompt": PROMPT, "limit": LIMIT, "tune": 2})
    [found] = headless.results(browser, [f"/?{query}"], seconds=SECONDS)
    assert found["page"] == "tune" and len(found["choices"]) == len(tried)
    assert {case.split(" tokens")[0] for case in found["choices"]} == {"matmul_q4 exact 16", "matmul_q8 exact 64"}


def test_a_browser_conforms(browser, tiny_model):
    row = headless.conformance(browser, seconds=SECONDS)
    expected = generate(Reference(tiny_model("exact")), conformance.PROMPT, limit=conformance.LIMIT)
    assert row.failures == [] and row.digest == expected.digest
    model, graph, given, last = small_picture()
    [picture] = Reference(model).run(graph, given, [last])
    assert row.picture == digest_of(picture)
