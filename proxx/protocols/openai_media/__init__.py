"""OpenAI's endpoints beside chat: legacy completions, pictures, speech, transcriptions, moderations.

Each is a dialect of its own that stays in its own bytes. Pictures alone have a second way, through a model that draws.
"""

from proxx.protocols.openai_media import bodies, picture_reply, picture_request, watching
from proxx.protocols.spec import Protocol

_EVENTS = "text/event-stream; charset=utf-8"
_REPLY_HEADERS = (b"openai-version", b"openai-processing-ms", b"x-ratelimit-", b"retry-after")
_FORM = "multipart/form-data"

COMPLETIONS = Protocol(
    name="openai_completions",
    label="OpenAI Completions",
    stream_type=_EVENTS,
    read_envelope=bodies.read_completion,
    same_dialect=bodies.same_completion,
    watch_stream=watching.watch_completions,
    watch_whole=watching.watch_json,
    rename_whole=bodies.rename_whole,
    write_error=watching.write_error,
    write_stream_error=watching.write_stream_error,
    heartbeat=watching.HEARTBEAT,
    streams_json=True,
    client_headers=("idempotency-key",),
    reply_headers=_REPLY_HEADERS,
)

IMAGES = Protocol(
    name="openai_images",
    label="OpenAI Images",
    stream_type=_EVENTS,
    read_envelope=bodies.read_image,
    same_dialect=bodies.same_dialect,
    watch_stream=watching.MediaWatch,
    watch_whole=watching.watch_json,
    rename_whole=bodies.rename_nothing,
    write_error=watching.write_error,
    write_stream_error=watching.write_stream_error,
    heartbeat=watching.HEARTBEAT,
    read_request=picture_request.read_request,
    stream_writer=picture_reply.PictureWriter,
    write_whole=picture_reply.write_whole,
    streams_json=True,
    url=bodies.image_url,
    client_headers=("idempotency-key", "content-type"),
    reply_headers=_REPLY_HEADERS,
    media_types=("", "application/json", _FORM),
    keeps_type=True,
    estimates=False,
)

SPEECH = Protocol(
    name="openai_speech",
    label="OpenAI Speech",
    stream_type="application/octet-stream",
    read_envelope=bodies.read_speech,
    same_dialect=bodies.same_dialect,
    watch_stream=watching.MediaWatch,
    watch_whole=watching.watch_whole,
    rename_whole=bodies.rename_nothing,
    write_error=watching.write_error,
    write_stream_error=watching.write_stream_error,
    heartbeat=watching.HEARTBEAT,
    streams_json=True,
    headers=((b"accept", b"*/*"),),
    client_headers=("idempotency-key",),
    reply_headers=_REPLY_HEADERS,
    keeps_type=True,
    estimates=False,
)

TRANSCRIPTIONS = Protocol(
    name="openai_transcriptions",
    label="OpenAI Transcriptions",
    stream_type=_EVENTS,
    read_envelope=bodies.read_transcription,
    same_dialect=bodies.same_dialect,
    watch_stream=watching.MediaWatch,
    watch_whole=watching.watch_whole,
    rename_whole=bodies.rename_nothing,
    write_error=watching.write_error,
    write_stream_error=watching.write_stream_error,
    heartbeat=watching.HEARTBEAT,
    streams_json=True,
    url=bodies.transcription_url,
    headers=((b"accept", b"*/*"),),
    client_headers=("idempotency-key", "content-type"),
    reply_headers=_REPLY_HEADERS,
    media_types=(_FORM,),
    keeps_type=True,
    estimates=False,
)

MODERATIONS = Protocol(
    name="openai_moderations",
    label="OpenAI Moderations",
    stream_type=_EVENTS,
    read_envelope=bodies.read_moderation,
    same_dialect=bodies.same_dialect,
    watch_stream=watching.MediaWatch,
    watch_whole=watching.watch_json,
    rename_whole=bodies.rename_whole,
    write_error=watching.write_error,
    write_stream_error=watching.write_stream_error,
    heartbeat=watching.HEARTBEAT,
    streams_json=True,
    client_headers=("idempotency-key",),
    reply_headers=_REPLY_HEADERS,
    estimates=False,
)

PROTOCOLS = (COMPLETIONS, IMAGES, SPEECH, TRANSCRIPTIONS, MODERATIONS)
