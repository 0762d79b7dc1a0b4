"""The conformance page: one file, and a policy that lets in what it consists of."""

import json
import re
from base64 import b64encode
from hashlib import sha256
from html.parser import HTMLParser

from inference import conformance
from inference.browser.page import conformance_page, file, policy
from inference.kernels import alone


def test_the_page_is_one_file_with_the_kernels_unchanged(tiny_model):
    page = conformance_page(tiny_model("exact"))
    assert "{{" not in page.partition("<script")[0] and not re.search(r'(src|href)="(?!data:)', page)
    bundle = json.loads(re.search(r'id="bundle">(.*?)</script>', page, re.DOTALL)[1])
    assert {"conformance.wgsl", "exact/attention.wgsl", "exact/matmul_q4__subgroup.wgsl"} <= bundle["kernels"].keys()
    for path, text in bundle["kernels"].items():
        assert text == alone(path.removesuffix(".wgsl"))
    assert [wanted for _, wanted in bundle["cases"]] == [wanted for _, wanted in conformance.CASES]


def test_the_page_is_written_to_a_file(cli, tmp_path):
    assert cli("conformance", "--page", tmp_path / "page.html")[0] == 0
    assert (tmp_path / "page.html").read_text().startswith("<!doctype html>")
    code, _, err = cli("conformance", "--page", tmp_path / "nowhere" / "page.html")
    assert code == 2 and "cannot be written" in err


class Inside(HTMLParser):
    """The texts of the scripts that are run, and of the styles."""

    def __init__(self):
        super().__init__()
        self.kind, self.texts = None, []

    def handle_starttag(self, tag, attributes):
        attributes = dict(attributes)
        runs = tag == "script" and attributes.get("type") != "application/json" and "src" not in attributes
        self.kind = tag if runs or tag == "style" else None

    def handle_data(self, data):
        if self.kind:
            self.texts.append((self.kind, data))
            self.kind = None


def test_a_policy_names_each_script_and_style_inside_a_page_and_allows_no_others(tiny_model):
    for page, inside in ((conformance_page(tiny_model("exact")), ["style", "script"]), (file("index.html"), [])):
        found = Inside()
        found.feed(page)
        assert [kind for kind, _ in found.texts] == inside
        sources = {name: rest for name, *rest in (each.split() for each in policy(page).split(";"))}
        hashes = {f"'sha256-{b64encode(sha256(text.encode()).digest()).decode()}'" for _, text in found.texts}
        assert {each for name in ("script-src", "style-src") for each in sources[name]} == {"'self'", *hashes}
        assert sources["default-src"] == sources["frame-ancestors"] == ["'none'"]
