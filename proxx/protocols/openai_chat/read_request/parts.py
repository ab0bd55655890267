"""The content of a message: a text, or a list of parts of the types that clients really send."""

from collections.abc import Callable

from proxx.protocols.hub import blobs, media
from proxx.protocols.hub.errors import Unreadable
from proxx.protocols.hub.parts import (
    Audio,
    CacheMark,
    Citation,
    File,
    Image,
    Part,
    Reasoning,
    Refusal,
    Text,
)
from proxx.protocols.openai_chat.dialect import NAME
from proxx.protocols.openai_chat.read_request.fields import Fields
from proxx.protocols.openai_chat.slots import read_source

PDF = "application/pdf"
_KINDS = "text, image_url, input_audio, file and refusal"
_AUDIO = {"mp3": "audio/mpeg", "wav": "audio/wav", "pcm16": "audio/pcm"}
_VIDEO = "video/mp4"


def content(message: Fields, *, place: str = "content") -> list[Part]:
    """Return a message's content as parts; none if it is absent."""
    value = message.raw.get(place)
    if value is None:
        return []
    if isinstance(value, str):
        return [Text(value, citations=_citations(message))]
    parts: list[Part] = []
    for at, one in enumerate(message.list(place)):
        if isinstance(one, str):  # a list of plain texts, as some frameworks write it
            parts.append(Text(one))
            continue
        if not isinstance(one, dict):
            message.wrong(f"{place}[{at}]", "an object")
        parts.append(_part(Fields(one, message.at(f"{place}[{at}]"))))
    return parts


def _part(part: Fields) -> Part:
    kind = part.text("type") or ("text" if "text" in part else "")
    read = _READERS.get(kind)
    return read(part) if read is not None else part.unknown("type", _KINDS)


def _text(part: Fields) -> Text:
    return Text(part.required("text"), citations=_citations(part), cache=cache_mark(part))


def _refusal(part: Fields) -> Refusal:
    return Refusal(part.required("refusal"))


def _image(part: Fields) -> Part:
    given = part.raw.get("image_url")
    if isinstance(given, str):
        return _seen(given, part.text("detail"), part, "image_url")
    inner = part.object("image_url")
    if inner is None:
        if "file_id" in part:
            return Image(file_id=part.text("file_id"), dialect=NAME, detail=part.text("detail"))
        return part.missing("image_url")
    return _seen(inner.required("url"), inner.text("detail"), part, "image_url.url")


def _seen(url: str, detail: str, part: Fields, name: str) -> Part:
    if url[:5].lower() != "data:":
        return Image(url=url, detail=detail, cache=cache_mark(part))
    found = media.data_url(url)
    if found is None:
        raise Unreadable(f"'{part.at(name)}' is no valid data URL.", code="invalid_value", param=part.at(name))
    media_type, data = found
    if media_type.startswith("image/"):
        return Image(data=data, media_type=media_type, detail=detail, cache=cache_mark(part))
    return media.medium(media_type, data)


def _audio(part: Fields) -> Audio:
    inner = part.object("input_audio") or part
    sort = inner.text("format") or "wav"
    data = media.standard(inner.required("data").rpartition(",")[2])
    if data is None:
        raise Unreadable(f"'{inner.at('data')}' is no base64.", code="invalid_value", param=inner.at("data"))
    return Audio(data, _AUDIO.get(sort, f"audio/{sort}"))


def _file(part: Fields) -> Part:
    inner = part.object("file") or part
    name, mark = inner.text("filename"), cache_mark(part)
    given = inner.text("file_data")
    if given:
        data, media_type = media.standard(given), PDF
        if given[:5].lower() == "data:":
            media_type, data = media.data_url(given) or ("", None)
        if data is None:
            raise Unreadable(
                f"'{inner.at('file_data')}' is no base64.", code="invalid_value", param=inner.at("file_data")
            )
        return File(data=data, media_type=media.sniffed(data, media_type), filename=name, cache=mark)
    if "file_url" in inner:
        return File(url=inner.text("file_url"), filename=name, cache=mark)
    return File(file_id=inner.required("file_id"), dialect=NAME, filename=name, cache=mark)


def _video(part: Fields) -> Part:
    inner = part.object("video_url")
    url = part.required("video_url") if inner is None else inner.required("url")
    found = media.data_url(url)
    return File(url=url, media_type=_VIDEO) if found is None else media.medium(*found)


def _thinking(part: Fields) -> Reasoning:
    value = part.raw.get("thinking", part.raw.get("text"))
    if isinstance(value, list):
        value = "".join(one.text("text") for one in part.objects("thinking"))
    if not isinstance(value, str):
        part.wrong("thinking", "a string")
    given = part.text("signature")
    blob = blobs.received(given, kind="signature", dialect="anthropic", family="claude") if given else None
    return Reasoning(str(value), blob=blob)


def _messages_image(part: Fields) -> Part:
    source = part.object("source") or part
    if source.text("type") == "url":
        return Image(url=source.required("url"), cache=cache_mark(part))
    return Image(data=source.required("data"), media_type=source.required("media_type"), cache=cache_mark(part))


def cache_mark(part: Fields) -> CacheMark | None:
    """Return the wish to cache up to here, in OpenAI's spelling or in that of those who serve Claude."""
    given = part.raw.get("cache_control") or part.raw.get("prompt_cache_breakpoint")
    if not isinstance(given, dict):
        return None
    ttl = given.get("ttl")
    return CacheMark(ttl if isinstance(ttl, str) else "")


def _citations(of: Fields) -> tuple[Citation, ...]:
    listed = of.raw.get("annotations")
    found = (read_source(one) for one in listed) if isinstance(listed, list) else ()
    return tuple(one for one in found if one is not None)


_READERS: dict[str, Callable[[Fields], Part]] = {
    "text": _text,
    "input_text": _text,
    "output_text": _text,
    "refusal": _refusal,
    "image_url": _image,
    "input_image": _image,
    "image": _messages_image,
    "input_audio": _audio,
    "file": _file,
    "input_file": _file,
    "document": _file,
    "video_url": _video,
    "thinking": _thinking,
    "reasoning": _thinking,
}
