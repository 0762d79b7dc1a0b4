"""The command line: what it prints, and one line with exit code 2 for bad input."""

import io
import json

import pytest

from inference.commands.terminal import readable
from inference.tokens.text import Text

TINY = ("--model", "tiny", "--backend", "numpy")


def test_without_a_command_its_help_is_shown(cli):
    code, out, err = cli()
    assert code == 2 and "perplexity" in out + err and "error" not in err


def test_run_prints_json(cli):
    code, out, _ = cli("run", "--prompt", "Hello", "--max-tokens", 4, "--json", *TINY)
    result = json.loads(out)
    assert code == 0 and len(result["tokens"]) == 4 and len(result["digest"]) == 64
    assert set(result) == {
        "text", "tokens", "digest", "prefill_tokens_per_second", "decode_tokens_per_second", "adapter", "backend",
    }  # fmt: skip


def test_run_writes_a_trace(cli, tmp_path):
    path = tmp_path / "trace.json"
    code, _, _ = cli("run", "--tokens", "1,2", "--max-tokens", 2, "--trace", path, *TINY)
    trace = json.loads(path.read_text())
    assert code == 0 and set(trace) == {"model", "graph", "input", "seed", "nodes"}
    assert trace["nodes"][0]["node"] == "prompt000.embedding" and trace["nodes"][-1]["node"] == "step0001.choice"


def test_a_seed_repeats_and_another_does_not(cli):
    tokens = [
        json.loads(cli("run", "--tokens", "1", "--temperature", 3, "--seed", seed, "--json", *TINY)[1])["tokens"]
        for seed in (1, 1, 2)
    ]
    assert tokens[0] == tokens[1] != tokens[2]


def test_next_lists_the_likeliest_tokens(cli):
    code, out, _ = cli("next", "--prompt", "Hello", "--top", 3, "--json", *TINY)
    rows = json.loads(out)
    assert code == 0 and [set(row) for row in rows] == [{"id", "text", "score"}] * 3
    assert rows[0]["score"] >= rows[1]["score"] >= rows[2]["score"]


def test_tokens_that_a_terminal_would_obey_are_written_out(cli):
    """The tiny model's tokens are bytes."""
    arguments = ("run", "--prompt", "Hi", "--max-tokens", 80, "--temperature", 100, *TINY)
    tokens = json.loads(cli(*arguments, "--json")[1])["tokens"]
    assert set(tokens) & set(range(32))
    shown = cli(*arguments)[1]
    assert "\\x" in shown and not set(shown) & set(map(chr, (*range(9), *range(11, 32), *range(127, 160))))


def test_perplexity_of_a_file(cli, tmp_path):
    (tmp_path / "text.txt").write_text("the quick brown fox")
    code, out, _ = cli("perplexity", tmp_path / "text.txt", "--json", *TINY)
    result = json.loads(out)
    assert code == 0 and result["tokens"] == 19 and result["perplexity"] > 1


def test_graph_lists_and_draws(cli, tmp_path):
    code, out, _ = cli("graph", "--model", "tiny", "--out", tmp_path / "graph.svg")
    assert code == 0 and "layer01.down" in out
    assert (tmp_path / "graph.svg").read_text().startswith("<svg")
    assert len(json.loads(cli("graph", "--model", "tiny", "--json")[1])["nodes"]) == 21


def test_adapters_are_listed(cli, stack):
    code, out, _ = cli("adapters", "--json")
    found = json.loads(out)
    assert code == 0 and stack in [(adapter["backend"], adapter["name"]) for adapter in found]
    assert {"name", "backend", "driver", "limits", "features"} <= set(found[0])


@pytest.mark.parametrize(
    "arguments, said",
    [
        (("run", "--prompt", "a", "--adapter", "geforce", "--model", "tiny"), "unknown adapter 'geforce'"),
        (("run", "--prompt", "a", "--adapter", "x", *TINY), "the backend numpy has no adapters"),
        (("run", *TINY), "give one of --prompt, --tokens and --prompt-file"),
        (("run", "--prompt", "a", "--tokens", "1", *TINY), "give one of --prompt, --tokens"),
        (("run", "--chat", "--tokens", "1", *TINY), "--tokens are taken as they are"),
        (("run", "--tokens", "1,x", *TINY), "--tokens '1,x' is not allowed"),
        (("run", "--tokens", "1,300", *TINY), "token 300 is not in the vocabulary"),
        (("run", "--prompt", "a" * 600, *TINY), "exceed the context of tiny: 512"),
        (("run", "--prompt", "", "--model", "nowhere.gguf"), "the prompt is empty"),  # before a model is looked for
        (("run", "--prompt-file", "/nowhere.txt", *TINY), "cannot be read"),
        (("run", "--prompt-file", "/dev/null", *TINY), "the prompt is empty"),
        (("run", "--prompt-file", "-", "--tokens", "1", *TINY), "give one of --prompt, --tokens and --prompt-file"),
        (("run", "--prompt", "a", "--stop", "", *TINY), "--stop needs a text"),
        (("run", "--prompt", "a", "--stop", "b", "--trace", "t.json", *TINY), "--trace is of a run without"),
        (("run", "--prompt", "a", "--temperature", 1, "--top-k", 2**31, *TINY), "--top-k 2147483648 is not allowed"),
        (("run", "--prompt", "a", "--top-k", 3, *TINY), "--top-k and --top-p need a --temperature above 0"),
        (("run", "--prompt", "a", "--top-p", 2, *TINY), "--top-p 2.0 is not allowed"),
        (("run", "--chat", "--json", *TINY), "--json and --trace need a prompt"),
        (("run", "--chat", *TINY), "the model has no chat template"),
        (("run", "--prompt", "a", "--max-tokens", 0, *TINY), "--max-tokens 0 is not allowed; at least 1"),
        (("run", "--chat", "--max-tokens", 0, *TINY), "--max-tokens 0 is not allowed; at least 1"),
        (("run", "--prompt", "a", "--temperature", "nan", *TINY), "temperature nan is not allowed"),
        (("run", "--prompt", "a", "--temperature", -1, *TINY), "temperature -1.0 is not allowed"),
        (("run", "--prompt", "a", "--seed", -1, *TINY), "seed -1 is not allowed"),
        (("run", "--prompt", "a", "--chat", *TINY), "the model has no chat template"),
        (("run", "--prompt", "a", "--trace", "/nowhere/t.json", *TINY), "cannot be written"),
        (("run", "--prompt", "a", "--model", "nowhere.gguf"), "there is no such model; a name (smollm2, tiny)"),
        (("run", "--prompt", "a", "--model", "smolm2"), "there is no such model; did you mean smollm2? A name"),
        (("run", "--prompt", "a", "--model", "a\x1b[2Jb"), r"a\x1b[2Jb: there is no such model"),
        (("next", "--prompt", b"\xff caf\xe9".decode(errors="surrogateescape"), *TINY), "the prompt is not UTF-8"),
        (("perplexity", "/dev/zero", *TINY), "/dev/zero: more than 67108864 bytes"),
        (("run", "--prompt", "a", "--backend", "cuda"), "'cuda' is not one of"),
        (("serve", "--model", "nowhere.gguf"), "nowhere.gguf: there is no such model"),
        (("serve", "--port", 70000), "port 70000 is not allowed; 0 (a free one) to 65535"),
        (("bench", "--model", "tiny", "--rounds", 0), "--rounds 0 is not allowed"),
        (("next", "--prompt", "a", "--top", 0, *TINY), "--top 0 is not allowed"),
        (("perplexity", "/nowhere.txt", *TINY), "cannot be read"),
        (("graph", "--model", "tiny", "--tokens", 0), "--tokens 0 is not allowed"),
    ],
)
def test_bad_input_is_one_line_and_exit_code_2(cli, arguments, said, stack):
    code, out, err = cli(*arguments)
    assert code == 2 and not out
    assert said in err and err.count("\n") == 1


def test_a_prompt_comes_from_a_file_or_from_standard_input(cli, tmp_path, monkeypatch):
    plain = json.loads(cli("run", "--prompt", "né", "--max-tokens", 3, "--json", *TINY)[1])
    path = tmp_path / "prompt.txt"
    path.write_bytes("né".encode())
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO("né".encode())))
    for file in (path, "-"):
        again = json.loads(cli("run", "--prompt-file", file, "--max-tokens", 3, "--json", *TINY)[1])
        assert again["digest"] == plain["digest"]


def test_a_run_ends_before_a_stop(cli):
    whole = json.loads(cli("run", "--prompt", "Hi", "--max-tokens", 20, "--json", *TINY)[1])
    stop = whole["text"][2:4]
    cut = json.loads(cli("run", "--prompt", "Hi", "--max-tokens", 20, "--stop", stop, "--json", *TINY)[1])
    assert cut["text"] == whole["text"][: whole["text"].index(stop)]
    assert cut["tokens"] == whole["tokens"][: len(cut["tokens"])] and len(cut["tokens"]) < 20
    assert cli("run", "--prompt", "Hi", "--max-tokens", 20, "--stop", stop, *TINY)[1].startswith(readable(cut["text"]))


def test_the_likeliest_alone_is_what_no_temperature_gives(cli):
    arguments = ("run", "--prompt", "Hi", "--arithmetic", "float32", "--max-tokens", 6, "--json", *TINY)
    greedy, drawn = (json.loads(cli(*arguments, *more)[1]) for more in ((), ("--temperature", 1, "--top-k", 1)))
    assert drawn["tokens"] == greedy["tokens"] and drawn["digest"] == greedy["digest"]


def test_a_conversation_reads_what_was_said_before(cli, monkeypatch):
    """Of bytes: each answer is two tokens, read again by the next."""
    read = []
    monkeypatch.setattr("inference.commands.loading.Text", Talking)
    monkeypatch.setattr(Talking, "read", read)
    monkeypatch.setattr("sys.stdin", io.StringIO("one\ntwo\n\nthree\n"))
    code, out, _ = cli("run", "--chat", "--max-tokens", 2, *TINY)
    assert code == 0 and out.count("\n") >= 2
    assert [[each["role"] for each in messages] for messages in read] == [["user"], ["user", "assistant", "user"]]
    assert read[1][0]["content"] == "one" and read[1][2]["content"] == "two"


class Talking(Text):
    """A tokenizer of bytes with a template."""

    read: list = []  # noqa: RUF012 each test has its own

    def __init__(self, fields, vocabulary):
        super().__init__({"tokenizer.chat_template": "x"}, vocabulary)

    def conversation(self, messages):
        self.read.append(list(messages))
        return "".join(each["role"] + each["content"] for each in messages).encode("ascii", "replace").decode()
