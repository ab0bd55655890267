"""OpenAI's endpoints beside chat: legacy completions, pictures, speech, transcriptions, moderations.

Each is a dialect of its own that stays in its own bytes. Pictures alone have a second way, through a model that draws.
"""

from functools import partial

from proxx.protocols.openai_media import bodies, picture_reply, picture_request, watching
from proxx.protocols.spec import Protocol

_FORM = "multipart/form-data"

_media = partial(
    Protocol,
    stream_type="text/event-stream; charset=utf-8",
    same_dialect=bodies.same_dialect,
    watch_stream=watching.MediaWatch,
    write_error=watching.write_error,
    write_stream_error=watching.write_stream_error,
    heartbeat=watching.HEARTBEAT,
    streams_json=True,
    client_headers=("idempotency-key",),
    reply_headers=(b"openai-version", b"openai-processing-ms", b"x-ratelimit-", b"retry-after"),
)

COMPLETIONS = _media(
    name="openai_completions",
    label="OpenAI Completions",
    read_envelope=bodies.read_completion,
    same_dialect=bodies.same_completion,
    watch_stream=watching.watch_completions,
    watch_whole=watching.watch_json,
    rename_whole=bodies.rename_whole,
)

IMAGES = _media(
    name="openai_images",
    label="OpenAI Images",
    read_envelope=bodies.read_image,
    watch_whole=watching.watch_json,
    rename_whole=bodies.rename_nothing,
    read_request=picture_request.read_request,
    stream_writer=picture_reply.PictureWriter,
    write_whole=picture_reply.write_whole,
    url=bodies.image_url,
    client_headers=("idempotency-key", "content-type"),
    media_types=("", "application/json", _FORM),
    keeps_type=True,
    estimates=False,
)

SPEECH = _media(
    name="openai_speech",
    label="OpenAI Speech",
    stream_type="application/octet-stream",
    read_envelope=bodies.read_speech,
    watch_whole=watching.watch_whole,
    rename_whole=bodies.rename_nothing,
    headers=((b"accept", b"*/*"),),
    keeps_type=True,
    estimates=False,
)

TRANSCRIPTIONS = _media(
    name="openai_transcriptions",
    label="OpenAI Transcriptions",
    read_envelope=bodies.read_transcription,
    watch_whole=watching.watch_whole,
    rename_whole=bodies.rename_nothing,
    url=bodies.transcription_url,
    headers=((b"accept", b"*/*"),),
    client_headers=("idempotency-key", "content-type"),
    media_types=(_FORM,),
    keeps_type=True,
    estimates=False,
)

MODERATIONS = _media(
    name="openai_moderations",
    label="OpenAI Moderations",
    read_envelope=bodies.read_moderation,
    watch_whole=watching.watch_json,
    rename_whole=bodies.rename_whole,
    estimates=False,
)

PROTOCOLS = (COMPLETIONS, IMAGES, SPEECH, TRANSCRIPTIONS, MODERATIONS)
