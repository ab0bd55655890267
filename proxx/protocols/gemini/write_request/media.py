"""Pictures, documents and sound -> Gemini's parts. Addresses are fetched by the gateway before; what is left of them
here nobody could fetch."""

from typing import Any

from proxx.protocols.hub.losses import Losses
from proxx.protocols.hub.media import data_url, sniffed, standard
from proxx.protocols.hub.parts import Audio, File, Image
from proxx.protocols.hub.target import Target

DIALECT = "gemini"
PICTURES = ("image/png", "image/jpeg", "image/webp", "image/heic", "image/heif")
READ_BY_GEMINI = (  # its own files, and videos that it fetches by itself
    "https://generativelanguage.googleapis.com/",
    "gs://",
    "https://www.youtube.com/",
    "https://youtu.be/",
)
READS_URLS = "reads_urls"  # quirk: the upstream fetches any address by itself

GemPart = dict[str, Any]


def medium_part(part: Image | File | Audio, target: Target, losses: Losses) -> GemPart:
    """Return a medium; refuse one that Gemini cannot be given."""
    field = "messages[].image" if isinstance(part, Image) else "messages[].file"
    if isinstance(part, Audio):
        return _inline(part.data, part.media_type, "messages[].audio", losses)
    if isinstance(part, Image) and part.detail not in ("", "auto"):
        losses.drop("messages[].image.detail", "no counterpart")
    if part.data:
        return _inline(part.data, part.media_type, field, losses)
    if part.file_id:
        if part.dialect != DIALECT:
            losses.refuse(field, "a file id is good only at the vendor that made it")
        return _referred(part.file_id, part.media_type)
    if isinstance(part, File) and not part.url:
        return {"text": f"{part.title or part.filename}\n{part.text}" if part.title or part.filename else part.text}
    inside = data_url(part.url)
    if inside is not None:
        return _inline(inside[1], inside[0], field, losses)
    if fetches(part, target):
        losses.refuse(field, "its address could not be fetched")
    return _referred(part.url, part.media_type)


def fetches(part: Image | File, target: Target) -> bool:
    """Tell whether Gemini cannot read a medium's address by itself."""
    return not part.url.startswith(READ_BY_GEMINI) and READS_URLS not in target.quirks


def _inline(data: str, media_type: str, field: str, losses: Losses) -> GemPart:
    sound = standard(data)
    if not sound:
        losses.refuse(field, "its data are no base64")
    media_type = sniffed(sound, media_type)
    if media_type.startswith("image/") and media_type not in PICTURES:
        losses.refuse(field, f"pictures of type {media_type} are not taken")
    return {"inlineData": {"mimeType": media_type, "data": sound}}


def _referred(uri: str, media_type: str) -> GemPart:
    return {"fileData": {"mimeType": media_type, "fileUri": uri} if media_type else {"fileUri": uri}}
