"""Media inside requests: data URLs taken apart, and what kind of medium some base64 really is."""

import base64
import binascii
import re
from urllib.parse import unquote_to_bytes

from proxx.protocols.hub.parts import Audio, File, Image

LOOKED_AT = 4096  # characters of each end that are looked at; what is wrong in the middle is the provider's to say

_URLSAFE = str.maketrans("-_", "+/")
_SPACE = re.compile(r"\s+")
_ODD = "-_ \r\n\t"
_BASE64 = re.compile(r"[A-Za-z0-9+/=]*\Z")

# Beginnings that mean one medium only. Containers that hold sound as well as pictures are left as they were declared.
_MAGIC = (
    (re.compile(rb"\x89PNG\r\n\x1a\n"), "image/png"),
    (re.compile(rb"\xff\xd8\xff"), "image/jpeg"),
    (re.compile(rb"GIF8[79]a"), "image/gif"),
    (re.compile(rb"RIFF.{4}WEBP", re.DOTALL), "image/webp"),
    (re.compile(rb".{4}ftyp(?:heic|heix|hevc|mif1)", re.DOTALL), "image/heic"),
    (re.compile(rb".{4}ftypavif", re.DOTALL), "image/avif"),
    (re.compile(rb"BM.{4}\x00\x00\x00\x00", re.DOTALL), "image/bmp"),
    (re.compile(rb"II\*\x00|MM\x00\*"), "image/tiff"),
    (re.compile(rb"%PDF-"), "application/pdf"),
    (re.compile(rb"RIFF.{4}WAVE", re.DOTALL), "audio/wav"),
    (re.compile(rb"ID3"), "audio/mpeg"),
    (re.compile(rb"fLaC"), "audio/flac"),
)
_OTHER_NAMES = {
    "image/jpg": "image/jpeg",
    "image/pjpeg": "image/jpeg",
    "image/x-png": "image/png",
    "audio/mp3": "audio/mpeg",
    "audio/x-wav": "audio/wav",
    "audio/wave": "audio/wav",
    "application/x-pdf": "application/pdf",
}


def data_url(text: str) -> tuple[str, str] | None:
    """Take a data URL apart: media type (as the bytes say, where they do) and standard base64.

    All of RFC 2397: any case, parameters, percent-encoded instead of base64. None for what is no data URL, or one
    whose data are no base64 although it says so.
    """
    if text[:5].lower() != "data:":
        return None
    head, comma, data = text[5:].partition(",")
    if not comma:
        return None
    declared, *parameters = (one.strip() for one in head.split(";"))
    if not any(one.lower() == "base64" for one in parameters):
        encoded: str | None = base64.b64encode(unquote_to_bytes(data)).decode()
    else:
        encoded = standard(data)
    return None if encoded is None else (sniffed(encoded, declared or "text/plain"), encoded)


def standard(data: str) -> str | None:
    """Return base64 in its standard alphabet, padded, without white space; None for what is no base64.

    The text itself is returned where nothing has to change: media are large.
    """
    if "%" in data:
        data = unquote_to_bytes(data).decode("latin-1")
    if any(one in data for one in _ODD):
        data = _SPACE.sub("", data).translate(_URLSAFE)
    if not data.isascii() or _BASE64.match(data[:LOOKED_AT] + data[-LOOKED_AT:]) is None:
        return None
    length = len(data.rstrip("="))
    if length % 4 == 1:
        return None
    return data if len(data) == length + -length % 4 else data[:length] + "=" * (-length % 4)


def sniffed(data: str, declared: str) -> str:
    """Return the media type of base64 `data` as its first bytes say; where they say nothing, the declared one."""
    declared = declared.partition(";")[0].strip().lower()
    declared = _OTHER_NAMES.get(declared, declared)
    try:
        beginning = base64.b64decode(data[:64])
    except (binascii.Error, ValueError):
        return declared or "application/octet-stream"
    for magic, media_type in _MAGIC:
        if magic.match(beginning):
            return media_type
    return declared or "application/octet-stream"


def is_document(media_type: str) -> bool:
    """Tell whether a medium is to be read, not seen or heard: PDF, text, office formats."""
    return not media_type.lower().startswith(("image/", "audio/", "video/"))


def is_text(media_type: str) -> bool:
    """Tell whether a document is plain text, which every model can be given."""
    media_type = media_type.lower()
    return media_type.startswith("text/") or media_type in ("application/json", "application/xml", "application/yaml")


def text_of(data: str) -> str:
    """Return the text in base64 `data`; what is no UTF-8 in it reads as the replacement character."""
    return base64.b64decode(data).decode("utf-8", "replace")


def medium(media_type: str, data: str, *, filename: str = "") -> Image | Audio | File:
    """Return the part that base64 `data` of this media type is."""
    kind = media_type.partition("/")[0]
    if kind == "image":
        return Image(data=data, media_type=media_type)
    if kind == "audio":
        return Audio(data, media_type)
    return File(data=data, media_type=media_type, filename=filename)
