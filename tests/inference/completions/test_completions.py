"""Completions as OpenAI's own client asks for them, of the tiny model on this machine."""

import json
from http.client import HTTPConnection

import openai
import pytest

from inference.browser.server import HOST, serving
from inference.generate import generate
from inference.reference import Reference
from inference.tokens.text import Text
from inference.tokens.written import Written

KEY, PROMPT = "sesame", "Hi"
SECONDS = 120  # a time-out, not a measure


@pytest.fixture(scope="module")
def server():
    with serving(0, print, key=KEY) as served:
        yield served


@pytest.fixture(scope="module")
def client(server):
    made = openai.OpenAI(base_url=f"http://{HOST}:{server.port}/v1", api_key=KEY, max_retries=0, timeout=SECONDS)
    with made:
        yield made


@pytest.fixture(scope="module")
def expected(tiny_model):
    """The text that the numpy reference gives after a prompt."""

    def run(prompt, **options):
        tokens = generate(Reference(tiny_model("exact")), list(prompt.encode()), **options).tokens
        return Text({}, 256).decode([token for token in tokens if token not in tiny_model("exact").end])

    return run


def test_a_completion_is_the_reference_s(client, expected):
    text = expected(PROMPT, limit=6)
    found = client.completions.create(model="tiny", prompt=PROMPT, max_tokens=6, temperature=0)
    assert (found.choices[0].text, found.choices[0].finish_reason, found.object) == (text, "length", "text_completion")
    assert (found.usage.prompt_tokens, found.usage.completion_tokens, found.usage.total_tokens) == (2, 6, 8)
    by_ids = client.completions.create(model="tiny", prompt=list(PROMPT.encode()), max_tokens=6, temperature=0)
    assert by_ids.choices[0].text == text and by_ids.id != found.id
    assert len(found.mark["digest"]) == 64 and by_ids.mark == found.mark


def test_the_same_seed_gives_the_same_text(client, expected):
    options = {"model": "tiny", "prompt": PROMPT, "max_tokens": 8}
    first, again = (client.completions.create(**options, seed=5).choices[0].text for _ in range(2))
    assert first == again == expected(PROMPT, limit=8, temperature=1, seed=5)
    assert client.completions.create(**options, seed=6).choices[0].text != first


def test_a_stream_adds_up_to_the_whole(client, expected):
    pieces = list(
        client.completions.create(
            model="tiny",
            prompt=PROMPT,
            max_tokens=6,
            temperature=0,
            stream=True,
            stream_options={"include_usage": True},
        )
    )
    *texts, last, usage = pieces
    assert "".join(piece.choices[0].text for piece in texts) == expected(PROMPT, limit=6)
    assert last.choices[0].finish_reason == "length" and not usage.choices and usage.usage.completion_tokens == 6
    assert len({piece.id for piece in pieces}) == 1 and len(last.mark["digest"]) == 64


@pytest.mark.parametrize("stream", [False, True])
def test_a_completion_ends_before_a_stop(client, expected, stream):
    whole = expected(PROMPT, limit=12)
    stop = whole[3:5]
    answer = client.completions.create(
        model="tiny", prompt=PROMPT, max_tokens=12, temperature=0, stop=["zzz", stop], stream=stream
    )
    pieces = list(answer) if stream else [answer]
    assert "".join(piece.choices[0].text for piece in pieces) == whole[: whole.index(stop)]
    assert pieces[-1].choices[0].finish_reason == "stop"


def test_a_chat_is_put_into_the_template_or_into_lines(client, expected):
    messages = [{"role": "developer", "content": "Be"}, {"role": "user", "content": [{"type": "text", "text": "Hi"}]}]
    options = {"model": "tiny", "messages": messages, "max_completion_tokens": 5, "temperature": 0}
    text = expected("system: Be\nuser: Hi\nassistant: ", limit=5)
    whole = client.chat.completions.create(**options)
    assert whole.choices[0].message.content == text and whole.choices[0].message.role == "assistant"
    first, *pieces, last = client.chat.completions.create(**options, stream=True)
    assert first.choices[0].delta.role == "assistant" and last.choices[0].finish_reason == "length"
    assert "".join(piece.choices[0].delta.content for piece in pieces) == text


def test_the_models_are_listed(client):
    assert [each.id for each in client.models.list()] == ["tiny", "smollm2"]
    assert client.models.retrieve("tiny").owned_by == "distribute-lab"


def test_a_wrong_key_is_refused(client):
    stranger = client.with_options(api_key="open")
    for call in (
        stranger.models.list,
        lambda: stranger.completions.create(model="tiny", prompt=PROMPT),
        lambda: stranger.chat.completions.create(model="tiny", messages=[], stream=True),
    ):
        with pytest.raises(openai.AuthenticationError) as refused:
            call()
        assert refused.value.code == "invalid_api_key"


@pytest.mark.parametrize("stream", [False, True])
def test_what_does_not_exist_or_fit_is_refused(client, stream):
    with pytest.raises(openai.NotFoundError, match="'gpt' does not exist; there are tiny, smollm2") as refused:
        client.completions.create(model="gpt", prompt=PROMPT, stream=stream)
    assert (refused.value.code, refused.value.param) == ("model_not_found", "model")
    with pytest.raises(openai.BadRequestError, match="512 tokens: 600 in the prompt and 16 to come") as refused:
        client.completions.create(model="tiny", prompt="a" * 600, stream=stream)
    assert (refused.value.code, refused.value.param) == ("context_length_exceeded", "prompt")
    assert refused.value.type == "invalid_request_error"


@pytest.mark.parametrize(
    "options, parameter",
    [
        ({"n": 2}, "n"),
        ({"stop": ["a", ""]}, "stop"),
        ({"extra_body": {"colour": "red"}}, "colour"),
        ({"max_tokens": 0}, "max_tokens"),
        ({"max_tokens": 2, "extra_body": {"max_completion_tokens": 3}}, "max_tokens"),
        ({"temperature": 0.01}, "temperature"),
        ({"temperature": -1}, "temperature"),
        ({"seed": -1}, "seed"),
        ({"top_p": 0}, "top_p"),
        ({"extra_body": {"top_k": 0.5}}, "top_k"),
        ({"prompt": ""}, "prompt"),
        ({"prompt": ["a", "b"]}, "prompt"),
        ({"prompt": [256]}, "prompt"),
        ({"extra_body": {"stream_options": {"include_usage": 1}}}, "stream"),
        ({"extra_body": {"stream_options": [1]}}, "stream_options"),
    ],
)
def test_what_is_not_done_is_refused_and_never_passed_over(client, options, parameter):
    with pytest.raises(openai.BadRequestError) as refused:
        client.completions.create(**{"model": "tiny", "prompt": PROMPT} | options)
    assert refused.value.param == parameter


def test_tokens_are_drawn_among_the_likeliest(client):
    def text(**asked):
        more = {"extra_body": {"top_k": asked.pop("top_k")}} if "top_k" in asked else {}
        return client.completions.create(model="tiny", prompt=PROMPT, max_tokens=6, **asked, **more).choices[0].text

    greedy = text(temperature=0, top_p=0.5)
    assert text(temperature=1.5, seed=3, top_k=1) == text(temperature=1.5, seed=3, top_p=1e-6) == greedy
    assert text(temperature=1.5, seed=3, top_k=-1) == text(temperature=1.5, seed=3) != greedy


def test_what_changes_nothing_may_be_said(client):
    neutral = {"n": 1, "stop": None, "top_p": 1, "frequency_penalty": 0, "user": "me", "logprobs": None}
    assert client.completions.create(model="tiny", prompt=PROMPT, max_tokens=1, **neutral).choices


@pytest.mark.parametrize("messages", [[], "Hi", ["Hi"], [{"role": "tool", "content": "a"}], [{"role": "user"}]])
def test_messages_are_of_their_schema(client, messages):
    with pytest.raises(openai.BadRequestError) as refused:
        client.chat.completions.create(model="tiny", messages=messages)
    assert refused.value.param == "messages"


@pytest.mark.parametrize(
    "status, method, path, body",
    [
        (400, "POST", "/v1/completions", "{"),
        (400, "POST", "/v1/completions", "[]"),
        (400, "POST", "/v1/completions", "[" * 100_000),
        (404, "GET", "/v1/nothing", None),
        (405, "GET", "/v1/completions", None),
    ],
)
def test_every_refusal_is_of_the_format(server, status, method, path, body):
    connection = HTTPConnection(HOST, server.port, timeout=SECONDS)
    connection.request(method, path, body, {"Authorization": f"Bearer {KEY}"})
    response = connection.getresponse()
    told = json.loads(response.read())["error"]
    connection.close()
    assert response.status == status and set(told) == {"message", "type", "param", "code"}


def test_text_is_shown_as_soon_as_no_token_changes_it():
    raw = "é€\U0001f600".encode() + b"\xff\xff"
    written = Written(Text({}, 256), {0})
    pieces = [written.take(byte) for byte in (*raw, 0)]
    assert pieces[:9] == ["", "é", "", "", "€", "", "", "", "\U0001f600"]
    assert "".join(pieces) + written.rest() == raw.decode(errors="replace") and written.finish == "stop"
