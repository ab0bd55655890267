"""Content parts of input items -> the hub's parts."""

from collections.abc import Callable

import msgspec

from proxx.protocols.hub import media
from proxx.protocols.hub.parts import Audio, CacheMark, File, Image, Opaque, Part, Refusal, Text
from proxx.protocols.openai_responses.citations import read_annotations
from proxx.protocols.openai_responses.dialect import NAME
from proxx.protocols.openai_responses.read_request.typed import invalid, kinds, missing, objects, read

PDF = "application/pdf"


class _Text(msgspec.Struct):
    text: str
    annotations: object = None
    prompt_cache_breakpoint: object = None


class _Refusal(msgspec.Struct):
    refusal: str


class _Url(msgspec.Struct):
    url: str


class _Image(msgspec.Struct):
    image_url: str | _Url | None = None
    file_id: str | None = None
    detail: str | None = None
    prompt_cache_breakpoint: object = None


class _File(msgspec.Struct):
    file_data: str | None = None
    file_url: str | None = None
    file_id: str | None = None
    filename: str | None = None
    detail: str | None = None
    prompt_cache_breakpoint: object = None


class _Sound(msgspec.Struct):
    data: str
    format: str = "wav"


class _Audio(msgspec.Struct):
    input_audio: _Sound


_text = msgspec.json.Decoder(_Text)
_refusal = msgspec.json.Decoder(_Refusal)
_image = msgspec.json.Decoder(_Image)
_file = msgspec.json.Decoder(_File)
_audio = msgspec.json.Decoder(_Audio)


def read_content(content: str | list[msgspec.Raw] | None, where: str) -> tuple[Part, ...]:
    """Read a message's content or a tool's output: text, or parts. Empty text gives no part."""
    if isinstance(content, str):
        return (Text(content),) if content else ()
    parts = (read_part(bytes(raw), f"{where}[{number}]") for number, raw in enumerate(content or ()))
    return tuple(parts)


def read_part(raw: bytes, where: str) -> Part:
    """Read one content part by its type; an unknown one that holds text is text, any other stays in its own shape."""
    kind = read(kinds, raw, where).type
    reader = _READERS.get(kind)
    if reader is not None:
        return reader(raw, where)
    if not kind:
        raise missing(f"{where}.type")
    unknown = read(objects, raw, where)
    text = unknown.get("text")
    return Text(text) if isinstance(text, str) else Opaque(unknown, NAME)


def picture(url: str, where: str, *, detail: str = "", cache: CacheMark | None = None) -> Part:
    """Return what a URL in an image's place is: a picture by URL or by its bytes, or a document among them."""
    if url[:5].lower() != "data:":
        return Image(url=url, detail=detail, cache=cache)
    taken = media.data_url(url)
    if taken is None:
        raise invalid(where, "it is not a sound data URL")
    part = media.medium(*taken)
    return part if isinstance(part, Audio) else msgspec.structs.replace(part, detail=detail, cache=cache)


def _read_text(raw: bytes, where: str) -> Part:
    part = read(_text, raw, where)
    return Text(part.text, read_annotations(part.annotations), cache=_mark(part.prompt_cache_breakpoint))


def _read_refusal(raw: bytes, where: str) -> Part:
    return Refusal(read(_refusal, raw, where).refusal)


def _read_image(raw: bytes, where: str) -> Part:
    part = read(_image, raw, where)
    cache, detail = _mark(part.prompt_cache_breakpoint), part.detail or ""
    url = part.image_url.url if isinstance(part.image_url, _Url) else part.image_url
    if url:
        return picture(url, f"{where}.image_url", detail=detail, cache=cache)
    if not part.file_id:
        raise missing(f"{where}.image_url")
    return Image(file_id=part.file_id, dialect=NAME, detail=detail, cache=cache)


def _read_file(raw: bytes, where: str) -> Part:
    part = read(_file, raw, where)
    cache, name, detail = _mark(part.prompt_cache_breakpoint), part.filename or "", part.detail or ""
    if part.file_data:
        media_type, data = _taken(part.file_data, f"{where}.file_data")
        return File(data=data, media_type=media_type, filename=name, detail=detail, cache=cache)
    if part.file_url:
        return File(url=part.file_url, filename=name, detail=detail, cache=cache)
    if not part.file_id:
        raise missing(f"{where}.file_data")
    return File(file_id=part.file_id, dialect=NAME, filename=name, detail=detail, cache=cache)


def _taken(file_data: str, where: str) -> tuple[str, str]:
    taken = media.data_url(file_data)
    if taken is not None:
        return taken
    bare = None if file_data[:5].lower() == "data:" else media.standard(file_data)
    if bare is None:
        raise invalid(where, "it is neither a data URL nor base64")
    return media.sniffed(bare, PDF), bare


def _read_audio(raw: bytes, where: str) -> Part:
    sound = read(_audio, raw, where).input_audio
    return Audio(sound.data, media.sniffed("", f"audio/{sound.format}"))


def _mark(told: object) -> CacheMark | None:
    return CacheMark() if told else None


_READERS: dict[str, Callable[[bytes, str], Part]] = {
    "text": _read_text,
    "input_text": _read_text,
    "output_text": _read_text,
    "summary_text": _read_text,
    "refusal": _read_refusal,
    "input_image": _read_image,
    "input_file": _read_file,
    "input_audio": _read_audio,
}
