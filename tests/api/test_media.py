"""What is served beside chat, with OpenAI's own client: bytes there and back, only the model and the key change."""

import base64
import http.client
import io
import json

import openai
import pytest

from tests.api.media_upstreams import media_upstreams
from tests.live import LiveProxx
from tests.upstreams.script import cut, fail, say
from tests.upstreams.server import SimulatedProvider


@pytest.fixture(scope="module")
def proxx(module_proxx: LiveProxx) -> LiveProxx:
    media_upstreams(module_proxx)
    return module_proxx


@pytest.fixture
def client(proxx: LiveProxx):
    with proxx.openai() as client:
        yield client


def test_a_legacy_completion_whole_and_streamed(client: openai.OpenAI, module_provider: SimulatedProvider):
    """F-005."""
    made = client.completions.create(model="media/sim-echo", prompt="one two three")
    assert (made.choices[0].text, made.usage.prompt_tokens > 0) == ("one two three", True)
    assert module_provider.journal.last.json["model"] == "sim-echo"
    pieces = list(client.completions.create(model="media/sim-echo", prompt="one two three", stream=True))
    assert "".join(piece.choices[0].text for piece in pieces) == "one two three"
    assert pieces[-1].choices[0].finish_reason == "stop"


def test_usage_of_a_streamed_completion_is_recorded_though_nobody_asked(proxx: LiveProxx, client: openai.OpenAI):
    with client.completions.with_raw_response.create(
        model="media/sim-echo", prompt="a b c", stream=True
    ).parse() as got:
        assert all(piece.choices for piece in got), "the usage that only proxx asked for stays here"
    query = "SELECT usage_state FROM analytics_requestlog WHERE dialect = 'openai_completions' AND stream"
    assert ("reported",) in proxx.wait_for_rows(query, 1)


def test_pictures_whole_streamed_and_changed(client: openai.OpenAI, module_provider: SimulatedProvider):
    """F-017."""
    made = client.images.generate(model="media/sim-image", prompt="a cat", n=2)
    pictures = [base64.b64decode(one.b64_json) for one in made.data]
    assert all(picture.startswith(b"\x89PNG") for picture in pictures)
    stream = client.images.generate(model="media/sim-image", prompt="a cat", stream=True, partial_images=1)
    assert [event.type for event in stream] == ["image_generation.partial_image", "image_generation.completed"]
    edited = client.images.edit(model="media/sim-image", prompt="a dog", image=("a.png", pictures[0]))
    assert edited.usage.input_tokens_details.image_tokens == 64
    assert module_provider.journal.last.path == "/v1/images/edits"


def test_the_form_goes_up_byte_for_byte_but_for_the_model(proxx: LiveProxx, module_provider: SimulatedProvider):
    body = (
        b'--b\r\ncontent-disposition: form-data; name="file"; filename="a model.wav"\r\n'
        b'content-type: audio/wav\r\n\r\nRIFF\x00\xff--b \r\n--c\r\nname="model"\r\n\r\nmedia/sim-say\r\n'
        b'--b\r\nContent-Disposition: form-data; name="model"\r\n\r\nmedia/sim-say\r\n'
        b"--b\r\nContent-Disposition: form-data; name=prompt\r\n\r\nmedia/sim-say\r\n--b--\r\n"
    )
    kind = 'multipart/form-data; boundary="b"'
    status, _, _ = proxx.request("POST", "/audio/transcriptions", body, {"content-type": kind})
    assert status == 200
    sent = module_provider.journal.last
    head, _, tail = body.rpartition(b"media/sim-say\r\n--b--")[0].rpartition(b"media/sim-say\r\n--b")
    assert sent.body == head + b"sim-say\r\n--b" + tail + b"media/sim-say\r\n--b--\r\n"
    assert sent.header("content-type") == kind
    assert sent.header("authorization").startswith("Bearer sk-sim-")


@pytest.mark.parametrize("sound", ["mp3", "wav"])
def test_speech_comes_back_as_the_provider_sent_it(client: openai.OpenAI, module_provider: SimulatedProvider, sound):
    made = client.audio.speech.create(model="media/sim-say", input="hello", voice="alloy", response_format=sound)
    assert made.content == bytes(module_provider.journal.last.answer)
    assert made.response.headers["content-type"] == {"mp3": "audio/mpeg", "wav": "audio/wav"}[sound]


def test_speech_as_events_is_an_event_stream(proxx: LiveProxx, module_provider: SimulatedProvider):
    body = {"model": "media/sim-say", "input": "hello", "voice": "alloy", "stream_format": "sse"}
    status, headers, answer = proxx.request("POST", "/v1/audio/speech", body)
    assert (status, headers["content-type"].partition(";")[0]) == (200, "text/event-stream")
    assert answer == bytes(module_provider.journal.last.answer)


def test_sound_that_breaks_off_breaks_off_here_too(proxx: LiveProxx, module_provider: SimulatedProvider):
    """A sound has no place for an error: a whole-looking half would be a lie."""
    module_provider.script(say("one two three", pieces=3), cut())
    body = {"model": "media/sim-x", "input": "hello", "voice": "alloy"}
    with pytest.raises(http.client.IncompleteRead) as caught:
        proxx.request("POST", "/v1/audio/speech", body)
    assert b"one" in caught.value.partial
    query = "SELECT outcome, error_code FROM analytics_requestlog WHERE dialect = 'openai_speech' AND outcome <> 'ok'"
    assert ("error", "upstream_truncated") in proxx.wait_for_rows(query, 1)


@pytest.mark.parametrize("shape", ["json", "text", "srt", "verbose_json"])
def test_what_is_heard_comes_in_the_wanted_shape(client: openai.OpenAI, module_provider: SimulatedProvider, shape):
    module_provider.script(say("heard you"))
    sound = ("a.wav", io.BytesIO(b"RIFFxxxx"))
    made = client.audio.transcriptions.create(model="media/sim-x", file=sound, response_format=shape)
    assert "heard you" in (made if isinstance(made, str) else made.text)


def test_what_is_heard_comes_as_a_stream(client: openai.OpenAI, module_provider: SimulatedProvider):
    module_provider.script(say("heard you"))
    sound = ("a.wav", io.BytesIO(b"RIFFxxxx"))
    events = list(client.audio.transcriptions.create(model="media/sim-x", file=sound, stream=True))
    assert events[-1].type == "transcript.text.done"
    assert "".join(event.delta for event in events[:-1]) == "heard you"


def test_a_moderation_may_leave_its_model_away(proxx: LiveProxx, module_provider: SimulatedProvider):
    made = proxx.request("POST", "/v1/moderations", {"model": "media/sim-say", "input": "violence"})
    assert json.loads(made[2])["results"][0]["flagged"]
    proxx.request("POST", "/v1/moderations", b'{"input": "violence"}')
    sent = module_provider.journal.last
    assert (sent.path, sent.body) == ("/v1/moderations", b'{"input": "violence"}')


@pytest.mark.parametrize("path", ["completions", "moderations", "images/generations"])
def test_root_twins_answer_alike(proxx: LiveProxx, path):
    """F-014."""
    body = {"model": "media/sim-say", "prompt": "a", "input": "a"}
    body.pop("prompt" if path == "moderations" else "input")
    assert proxx.request("POST", f"/{path}", body)[0] == 200


@pytest.mark.parametrize("path", ["completions", "embeddings", "audio/speech", "images/edits", "moderations"])
def test_other_methods_get_405(proxx: LiveProxx, path):
    """F-016."""
    status, headers, _ = proxx.request("GET", f"/v1/{path}")
    assert (status, headers["allow"]) == (405, "POST")


def test_a_model_that_only_talks_is_404_for_speech(proxx: LiveProxx):
    body = {"model": "draws/sim-say", "input": "hello", "voice": "alloy"}
    status, headers, answer = proxx.request("POST", "/v1/audio/speech", body)
    assert (status, headers["x-proxx-error-code"]) == (404, "model_not_supported")
    assert "error" in json.loads(answer)


@pytest.mark.parametrize(
    ("kind", "body", "status", "code"),
    [
        ("application/json", b"{}", 415, "unsupported_media_type"),
        ("multipart/form-data", b"--b--", 400, "invalid_body"),
        ("multipart/form-data; boundary=b", b"nothing", 400, "invalid_body"),
        ("multipart/form-data; boundary=b", b"--b--\r\n", 400, "missing_model"),
        (
            "multipart/form-data; boundary=b",
            b'--b\r\ncontent-disposition: form-data; name="model"\r\n\r\nx',
            400,
            "invalid_body",
        ),
    ],
)
def test_a_form_that_is_none_is_refused(proxx: LiveProxx, kind, body, status, code):
    answer = proxx.request("POST", "/v1/audio/transcriptions", body, {"content-type": kind})
    assert (answer[0], json.loads(answer[2])["error"]["code"]) == (status, code)


def test_the_providers_own_words_on_a_bad_request_come_back(client: openai.OpenAI):
    with pytest.raises(openai.BadRequestError) as caught:
        client.audio.speech.create(model="media/sim-say", input="hello", voice="nobody")
    assert caught.value.param == "voice"


def test_a_failing_account_is_followed_by_another(client: openai.OpenAI, module_provider: SimulatedProvider):
    module_provider.script(fail(500))
    assert client.images.generate(model="media/sim-image", prompt="a cat").data[0].b64_json
