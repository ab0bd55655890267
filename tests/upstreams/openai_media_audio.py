"""OpenAI's endpoints for sound: text becomes speech, speech becomes text. Both are made of the scripted text."""

from typing import Any

from tests.upstreams import openai_media_forms
from tests.upstreams.answer import SSE
from tests.upstreams.connection import Arrival
from tests.upstreams.dialect import World, count_tokens
from tests.upstreams.openai_media_forms import body_of, need, typed
from tests.upstreams.openai_media_speaker import MediaAsk
from tests.upstreams.responses_errors import missing, only, outside, refused, text, wrong_value
from tests.upstreams.said import Counts

# fmt: off
SPEECH_FIELDS = frozenset({"model", "input", "voice", "instructions", "response_format", "speed", "stream_format"})
HEARD_FIELDS = frozenset({
    "file", "model", "language", "prompt", "response_format", "temperature", "timestamp_granularities", "stream",
    "include", "chunking_strategy", "known_speaker_names", "known_speaker_references",
})
# fmt: on
SOUNDS = {
    "mp3": "audio/mpeg",
    "opus": "audio/opus",
    "aac": "audio/aac",
    "flac": "audio/flac",
    "wav": "audio/wav",
    "pcm": "audio/pcm",
}  # fmt: skip
VOICES = (
    "alloy", "ash", "ballad", "coral", "echo", "fable", "nova", "onyx", "sage", "shimmer", "verse", "marin", "cedar",
)  # fmt: skip
HEARD = ("json", "text", "srt", "verbose_json", "vtt", "diarized_json")
AUDIO_NAMES = ("flac", "m4a", "mp3", "mp4", "mpeg", "mpga", "oga", "ogg", "wav", "webm")


def read_speech(arrival: Arrival, _: World) -> MediaAsk:
    """Read a request for speech; raise Refused. The sound is the scripted text behind the head of its format."""
    body = body_of(arrival)
    need(body, "model", "input", "voice")
    only(body, SPEECH_FIELDS, "")
    words = text(body["input"], "input", most=4096)
    if not isinstance(body["voice"], dict) and body["voice"] not in VOICES:
        raise wrong_value("voice", body["voice"], VOICES)
    sound = body.get("response_format") or "mp3"
    if not isinstance(sound, str) or sound not in SOUNDS:
        raise wrong_value("response_format", sound, tuple(SOUNDS))
    speed = body.get("speed") or 1.0
    if not isinstance(speed, int | float) or not 0.25 <= speed <= 4:
        raise outside("speed", speed, most=4.0)
    events = body.get("stream_format") == "sse"
    return MediaAsk(
        text(body["model"], "model"),
        stream=True,
        text=words,
        prompt_tokens=count_tokens(words),
        stream_type=SSE if events else SOUNDS[sound],
        events={"delta": "speech.audio.delta", "done": "speech.audio.done"},
        body=lambda _, counts: {
            "usage": {"input_tokens": counts.prompt, "output_tokens": counts.output, "total_tokens": counts.prompt}
        },
    )


def read_transcription(arrival: Arrival, _: World) -> MediaAsk:
    """Read a request to write down what is heard; raise Refused. What is heard is the scripted text."""
    form = openai_media_forms.read(arrival)
    only(dict.fromkeys(form.names()), HEARD_FIELDS, "")
    files = [file for file in form.files if file.field == "file"]
    if not files:
        raise missing("file")
    need(typed(form), "model")
    if files[0].name.rpartition(".")[2].lower() not in AUDIO_NAMES:
        raise refused(f"Unrecognized file format. Supported formats: {list(AUDIO_NAMES)}", None)
    if not files[0].data:
        raise refused("Audio file might be corrupted or unsupported", "file", "invalid_value")
    shape = form.texts.get("response_format", "json")
    if shape not in HEARD:
        raise wrong_value("response_format", shape, HEARD)
    streams = form.texts.get("stream") == "true"
    plain = shape in ("text", "srt", "vtt")
    return MediaAsk(
        text(form.texts["model"], "model"),
        stream=streams or plain,
        text=form.texts.get("prompt", ""),
        prompt_tokens=14,
        stream_type="text/plain; charset=utf-8" if plain and not streams else SSE,
        events={"delta": "transcript.text.delta", "done": "transcript.text.done"},
        body=lambda words, counts: _heard(words, counts, verbose=shape == "verbose_json"),
    )


def _heard(words: str, counts: Counts, *, verbose: bool) -> dict[str, Any]:
    if verbose:
        part = {"id": 0, "seek": 0, "start": 0.0, "end": 1.5, "text": words, "tokens": [], "temperature": 0.0}
        part |= {"avg_logprob": -0.2, "compression_ratio": 1.0, "no_speech_prob": 0.01}
        seconds = {"type": "duration", "seconds": 2}
        head = {"task": "transcribe", "language": "english", "duration": 1.5, "text": words}
        return {**head, "segments": [part], "usage": seconds}
    tokens = {"text_tokens": 0, "audio_tokens": counts.prompt}
    usage = {"type": "tokens", "input_tokens": counts.prompt, "input_token_details": tokens}
    return {
        "text": words,
        "usage": {**usage, "output_tokens": counts.output, "total_tokens": counts.prompt + counts.output},
    }
