"""Requests of OpenAI's endpoints beside chat: what the walk must know of them, and the same bytes for another model.

A body is JSON, or a form where files are sent. Only the model is read and changed; the rest is the provider's to judge.
"""

import msgspec
import orjson

from proxx.protocols.framing import members
from proxx.protocols.framing.heads import LONGEST_NAME, read_head
from proxx.protocols.framing.lenient import FAULTS, decode
from proxx.protocols.framing.stream_options import asking_for_usage, wants_usage
from proxx.protocols.hub.errors import Unreadable
from proxx.protocols.hub.request import Envelope
from proxx.protocols.openai_media import forms

MODERATION_MODEL = "omni-moderation-latest"  # the one that OpenAI's service takes when none is named


class _Model(msgspec.Struct):
    model: str | None = None


_model = msgspec.json.Decoder(_Model)


def read_completion(body: bytes) -> Envelope:
    """Read the head of a legacy completion; raise `Unreadable`."""
    return read_head(body, dialect="openai_completions", wants_usage=wants_usage)


def read_image(body: bytes, *, content_type: str = "", form: str = "") -> Envelope:
    """Read the head of a request for pictures, JSON or a form with files; `form="edits"` changes given ones. Raise
    `Unreadable`."""
    if content_type:
        return _read_form(body, content_type, dialect="openai_images", form=form)
    return msgspec.structs.replace(read_head(body, dialect="openai_images"), form=form)


def read_speech(body: bytes) -> Envelope:
    """Read the head of a request for speech, whose sound is passed on as it comes; raise `Unreadable`."""
    return read_head(body, dialect="openai_speech", stream=True)


def read_transcription(body: bytes, *, content_type: str = "", form: str = "") -> Envelope:
    """Read the fields that matter of a form with sound; raise `Unreadable`."""
    return _read_form(body, content_type, dialect="openai_transcriptions", form=form)


def read_moderation(body: bytes) -> Envelope:
    """Read the head of a request to judge; its model may go without saying. Raise `Unreadable`."""
    usual = "" if _names_model(body) else MODERATION_MODEL
    return read_head(body, dialect="openai_moderations", model=usual, stream=False)


def same_dialect(request: Envelope, *, model: str, ask_usage: bool) -> bytes:
    """Return the client's own bytes with another model name; nothing else changes."""
    body = request.body
    if model == request.model:
        return body
    if request.options:
        return forms.replaced(body, forms.fields(body, request.options.decode("latin-1")), b"model", model.encode())
    named = orjson.dumps(model)
    if members.spans(body, b"model"):
        return members.replaced(body, b"model", named)
    return members.with_first(body, b'"model":' + named)


def same_completion(request: Envelope, *, model: str, ask_usage: bool) -> bytes:
    """Return the client's own bytes with another model name and, if told, the wish for usage."""
    body = members.replaced(request.body, b"model", orjson.dumps(model)) if model != request.model else request.body
    if request.stream and ask_usage and not request.wants_usage:
        return asking_for_usage(body, request.options)
    return body


def image_url(url: str, *, stream: bool, form: str = "") -> str:
    """Return where pictures are made, or changed."""
    return url.removesuffix("/generations") + "/edits" if form == "edits" else url


def transcription_url(url: str, *, stream: bool, form: str = "") -> str:
    """Return where sound is written down, in its own language or in English."""
    return url.removesuffix("/transcriptions") + "/translations" if form == "translations" else url


def rename_whole(body: bytes, model: str) -> bytes:
    """Return a whole answer that names another model."""
    return members.replaced(body, b"model", orjson.dumps(model))


def rename_nothing(body: bytes, model: str) -> bytes:
    """Return an answer that names no model as it is."""
    return body


def _read_form(body: bytes, content_type: str, *, dialect: str, form: str) -> Envelope:
    spans = forms.fields(body, content_type)
    model = forms.text(body, spans, b"model")
    if not model:
        raise Unreadable("You must provide a model.", code="missing_model", param="model")
    if len(model) > LONGEST_NAME or not model.isprintable():
        raise Unreadable("This is no model name.", code="invalid_model", param="model")
    stream = forms.text(body, spans, b"stream").lower() in ("true", "1")
    kind = content_type.encode("latin-1")
    return Envelope(dialect, model, stream, wants_usage=False, body=body, options=kind, form=form)


def _names_model(body: bytes) -> bool:
    try:
        return decode(_model, body).model is not None
    except FAULTS:
        return True  # reading the head says what is wrong
