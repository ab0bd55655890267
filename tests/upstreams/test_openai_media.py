"""The simulated OpenAI beside chat: embeddings, images, sound, moderations and legacy completions."""

import base64
import http.client
import json
import struct

import openai
import pytest

from tests.upstreams.script import finish, report_usage, say


def post(provider, path, body, *, kind="application/json"):
    connection = http.client.HTTPConnection("127.0.0.1", provider.port, timeout=5)
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    connection.request("POST", path, data, {"authorization": "Bearer sk-sim-1", "content-type": kind})
    response = connection.getresponse()
    found = response.status, response.headers, response.read()
    connection.close()
    return found


def good(provider, path, **body):
    status, _, answer = post(provider, path, body)
    assert status == 200, answer
    return json.loads(answer)


@pytest.fixture
def client(provider):
    with openai.OpenAI(base_url=provider.base_url, api_key="sk-sim-1", max_retries=0) as client:
        yield client


def test_embeddings_as_numbers_and_as_base64_are_the_same(provider):
    numbers = good(provider, "/v1/embeddings", model="sim-embed", input="a")["data"][0]["embedding"]
    packed = good(provider, "/v1/embeddings", model="sim-embed", input="a", encoding_format="base64")
    data = base64.b64decode(packed["data"][0]["embedding"])
    assert len(numbers) == 1536
    assert list(struct.unpack("<1536f", data)) == numbers


def test_embeddings_take_lists_tokens_and_dimensions(provider):
    made = good(provider, "/v1/embeddings", model="sim-embed", input=["abcdefgh", "b"], dimensions=8)
    assert [(one["index"], len(one["embedding"])) for one in made["data"]] == [(0, 8), (1, 8)]
    assert made["usage"] == {"prompt_tokens": 3, "total_tokens": 3}
    assert good(provider, "/v1/embeddings", model="sim-embed", input=[1, 2, 3])["usage"]["prompt_tokens"] == 3
    assert len(good(provider, "/v1/embeddings", model="sim-embed", input=[[1, 2], [3]])["data"]) == 2


def test_reported_usage_holds_for_embeddings_too(provider):
    provider.script(report_usage(input=77, output=0))
    assert good(provider, "/v1/embeddings", model="sim-embed", input="a")["usage"]["prompt_tokens"] == 77


def test_images_are_real_pictures(client):
    made = client.images.generate(model="sim-image", prompt="a cat", n=2)
    pictures = [base64.b64decode(one.b64_json) for one in made.data]
    assert all(picture.startswith(b"\x89PNG") for picture in pictures)
    assert made.usage.output_tokens > 0
    edited = client.images.edit(model="sim-image", prompt="a dog", image=("a.png", pictures[0]))
    assert edited.usage.input_tokens_details.image_tokens == 64


def test_a_stream_of_images_has_drafts_and_an_end(client):
    stream = client.images.generate(model="sim-image", prompt="a cat", stream=True, partial_images=2)
    kinds = [event.type.removeprefix("image_generation.") for event in stream]
    assert kinds == ["partial_image", "partial_image", "completed"]


def test_speech_is_bytes_of_the_wanted_kind(provider):
    body = {"model": "sim-speech", "input": "hi", "voice": "alloy"}
    status, headers, sound = post(provider, "/v1/audio/speech", body)
    assert (status, headers["content-type"], sound[:3]) == (200, "audio/mpeg", b"ID3")
    _, headers, sound = post(provider, "/v1/audio/speech", {**body, "response_format": "wav"})
    assert (headers["content-type"], sound[:4]) == ("audio/wav", b"RIFF")


def test_what_is_heard_is_what_the_script_says(provider, client):
    for _ in range(4):
        provider.script(say("Good morning."))
    sound = ("a.wav", b"RIFF")
    assert client.audio.transcriptions.create(model="sim-transcribe", file=sound).text == "Good morning."
    plain = client.audio.transcriptions.create(model="sim-transcribe", file=sound, response_format="text")
    assert plain == "Good morning."
    long = client.audio.transcriptions.create(model="sim-transcribe", file=sound, response_format="verbose_json")
    assert long.segments[0].text == "Good morning."
    stream = client.audio.transcriptions.create(model="sim-transcribe", file=sound, stream=True)
    kinds = [event.type for event in stream]
    assert kinds == ["transcript.text.delta", "transcript.text.delta", "transcript.text.done"]


def test_moderation_flags_a_category(provider):
    results = good(provider, "/v1/moderations", input=["peace", "violence"], model="sim-moderate")["results"]
    assert [result["flagged"] for result in results] == [False, True]
    assert results[1]["categories"]["violence"]


def test_a_completion_goes_on_from_each_prompt(provider, client):
    provider.script(say("one two"), finish("length"))
    made = client.completions.create(model="sim-say", prompt=["a", "b"], n=2, echo=True)
    assert [choice.text for choice in made.choices] == ["aone two", "aone two", "bone two", "bone two"]
    assert {choice.finish_reason for choice in made.choices} == {"length"}
    assert made.usage.total_tokens == made.usage.prompt_tokens + made.usage.completion_tokens


def test_a_stream_of_completions_ends_with_usage_and_done(provider):
    provider.script(say("one two"))
    body = {"model": "sim-say", "prompt": "a", "stream": True, "stream_options": {"include_usage": True}}
    _, _, answer = post(provider, "/v1/completions", body)
    chunks = [json.loads(line[6:]) for line in answer.decode().splitlines() if line.startswith("data: {")]
    texts = [choice["text"] for chunk in chunks for choice in chunk["choices"]]
    assert (texts, chunks[-1]["choices"]) == (["one", " two", ""], [])
    assert chunks[-1]["usage"]["prompt_tokens"] == 1
    assert answer.endswith(b"data: [DONE]\n\n")


def test_a_completion_is_short_unless_told_otherwise(client):
    assert client.completions.create(model="sim-say", prompt="a").choices[0].finish_reason == "length"


MODEL = b'--b\r\nContent-Disposition: form-data; name="model"\r\n\r\nsim-transcribe\r\n'
FORM = b'--b\r\nContent-Disposition: form-data; name="file"; filename="a.txt"\r\n\r\nx\r\n--b--\r\n'
SPEECH = {"model": "sim-speech", "input": "hi", "voice": "alloy"}
REFUSED = {
    "embeddings of nothing": ("embeddings", {"model": "sim-embed", "input": []}),
    "embeddings of an empty text": ("embeddings", {"model": "sim-embed", "input": ["a", ""]}),
    "embeddings of objects": ("embeddings", {"model": "sim-embed", "input": [{}]}),
    "embeddings without model": ("embeddings", {"input": "a"}),
    "another encoding": ("embeddings", {"model": "sim-embed", "input": "a", "encoding_format": "hex"}),
    "too many dimensions": ("embeddings", {"model": "sim-embed", "input": "a", "dimensions": 4096}),
    "unknown member": ("embeddings", {"model": "sim-embed", "input": "a", "truncate": True}),
    "picture without prompt": ("images/generations", {"model": "sim-image"}),
    "picture's old format": ("images/generations", {"model": "sim-image", "prompt": "x", "response_format": "url"}),
    "too many pictures": ("images/generations", {"model": "sim-image", "prompt": "x", "n": 11}),
    "edit as JSON": ("images/edits", {"model": "sim-image", "prompt": "x"}),
    "unknown voice": ("audio/speech", {**SPEECH, "voice": "bell"}),
    "unknown sound": ("audio/speech", {**SPEECH, "response_format": "midi"}),
    "speech too long": ("audio/speech", {**SPEECH, "input": "x" * 4097}),
    "moderation of numbers": ("moderations", {"input": [1]}),
    "completion with messages": ("completions", {"model": "sim-say", "messages": []}),
    "prompt as object": ("completions", {"model": "sim-say", "prompt": {}}),
    "usage without stream": ("completions", {"model": "sim-say", "prompt": "x", "stream_options": {}}),
}


@pytest.mark.parametrize("case", REFUSED.values(), ids=REFUSED.keys())
def test_a_bad_request_is_refused(provider, case):
    path, body = case
    status, _, answer = post(provider, f"/v1/{path}", body)
    assert status in (400, 415)
    assert json.loads(answer)["error"]["type"] == "invalid_request_error"


@pytest.mark.parametrize(("model", "text"), [(b"", "'model'"), (MODEL, "Unrecognized file format")])
def test_a_form_without_model_or_sound_is_refused(provider, model, text):
    form = model + FORM
    status, _, answer = post(provider, "/v1/audio/transcriptions", form, kind="multipart/form-data; boundary=b")
    assert status == 400
    assert text in json.loads(answer)["error"]["message"]


def test_keys_and_models_fail_here_as_in_chat(client):
    with pytest.raises(openai.RateLimitError):
        client.embeddings.create(model="sim-fault-429", input="a")
    with pytest.raises(openai.NotFoundError):
        client.images.generate(model="nobody", prompt="x")
    with pytest.raises(openai.AuthenticationError):
        client.with_options(api_key="sk-other").embeddings.create(model="sim-embed", input="a")
