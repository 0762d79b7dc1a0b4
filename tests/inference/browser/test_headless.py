"""The exported programs in real browsers: the digest of the numpy reference."""

from urllib.parse import urlencode

import pytest

from inference import conformance
from inference.browser import headless
from inference.generate import generate
from inference.reference import Reference

PROMPT, LIMIT = "The capital of France is", 8
SECONDS = 60  # for a browser to start and answer: a time-out, not a measure


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


def test_a_browser_conforms(browser, tiny_model):
    row = headless.conformance(browser, seconds=SECONDS)
    expected = generate(Reference(tiny_model("exact")), conformance.PROMPT, limit=conformance.LIMIT)
    assert row.failures == [] and row.digest == expected.digest
