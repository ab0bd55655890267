"""A conversation's contents -> turns. What an answer's stream said in pieces is one part again.

Clients keep the pieces of a streamed answer as so many parts: those of one text are put together, and a signature in a
part without text belongs to the part before it.
"""

import base64
import binascii

import msgspec

from proxx.protocols.framing.compact import compacted
from proxx.protocols.gemini.read_request.fields import raw_list, raw_members, typed
from proxx.protocols.gemini.read_request.results import read_result
from proxx.protocols.hub.blobs import PREFIX, received
from proxx.protocols.hub.errors import Unreadable
from proxx.protocols.hub.losses import Losses
from proxx.protocols.hub.media import medium, sniffed, standard
from proxx.protocols.hub.parts import Blob, File, Hosted, Image, Opaque, Part, Reasoning, Text, ToolCall, Turn

DIALECT = "gemini"
ROLES = {"": "user", "user": "user", "function": "user", "tool": "user", "model": "assistant"}
DUMMIES = ("skip_thought_signature_validator", "context_engineering_is_the_way_to_go")

_FILES = ("https://generativelanguage.googleapis.com/", "gs://", "files/")
_HOSTED = ("executableCode", "codeExecutionResult", "toolCall", "toolResponse")
_BESIDE = frozenset({"thought", "thoughtSignature", "videoMetadata", "mediaResolution", "partMetadata"})

_text = msgspec.json.Decoder(str | None)
_flag = msgspec.json.Decoder(bool | None)
_object = msgspec.json.Decoder(dict)
_raws = msgspec.json.Decoder(dict[str, msgspec.Raw])


def read_contents(data: bytes, losses: Losses) -> tuple[Turn, ...]:
    """Read `contents`; raise `Unreadable` for what is none."""
    turns = []
    for place, one in enumerate(raw_list(data, "contents")):
        param = f"contents[{place}]"
        content = raw_members(one, param)
        said = typed(_text, bytes(content.get("role", b"null")), f"{param}.role") or ""
        role = ROLES.get(said)
        if role is None:
            raise Unreadable("Please use a valid role: user, model.", code="invalid_value", param=f"{param}.role")
        parts = [
            part
            for number, raw in enumerate(raw_list(bytes(content.get("parts", b"null")), f"{param}.parts"))
            for part in read_part(raw, f"{param}.parts[{number}]", losses)
        ]
        turns.append(Turn(role, tuple(_joined(parts) if role == "assistant" else parts)))
    return tuple(turns)


def read_part(data: bytes, param: str, losses: Losses) -> list[Part]:
    """Read one part; empty for one that says nothing."""
    part = raw_members(data, param)
    blob = _blob(typed(_text, bytes(part.get("thoughtSignature", b"null")), f"{param}.thoughtSignature"))
    thought = typed(_flag, bytes(part.get("thought", b"null")), f"{param}.thought")
    for beside in ("videoMetadata", "mediaResolution"):
        if bytes(part.get(beside, b"null")) not in (b"null", b"{}"):
            losses.drop(f"contents[].parts[].{beside}", "no counterpart")
    kinds = [name for name in part if name not in _BESIDE and bytes(part[name]) != b"null"]
    if not kinds:
        return [_said("", blob, thought=thought)] if blob else []
    if len(kinds) > 1:
        raise Unreadable("A part holds one kind of data only.", code="invalid_value", param=param)
    kind, value, where = kinds[0], bytes(part[kinds[0]]), f"{param}.{kinds[0]}"
    match kind:
        case "text":
            return [_said(typed(_text, value, where) or "", blob, thought=thought)]
        case "inlineData":
            return [_inline(value, where)]
        case "fileData":
            return [_file(value, where)]
        case "functionCall":
            return [_call(value, where, blob)]
        case "functionResponse":
            return [read_result(value, where, _media)]
        case _ if kind in _HOSTED:
            return [_hosted(kind, value, where)]
    return [Opaque({kind: typed(_object, value, where)}, DIALECT)]


def _said(text: str, blob: Blob | None, *, thought: bool | None) -> Part:
    return Reasoning(text, blob=blob) if thought else Text(text, blob=blob)


def _blob(text: str | None) -> Blob | None:
    """Read a signature: base64 by its type, so another vendor's wrapped blob has it around it."""
    if not text or text in DUMMIES:
        return None
    try:
        inside = base64.b64decode(text.translate(_STANDARD) + "=" * (-len(text) % 4))
    except (binascii.Error, ValueError):
        inside = b""
    if inside.decode("latin-1") in DUMMIES:
        return None
    wrapped = inside.decode("latin-1") if inside.startswith(PREFIX.encode()) else text
    return received(wrapped, kind="thought", dialect=DIALECT)


def _inline(value: bytes, param: str) -> Part:
    found = raw_members(value, param)
    data = standard(typed(_text, bytes(found.get("data", b"null")), f"{param}.data") or "")
    if not data:
        raise Unreadable(f"'{param}.data' must be base64.", code="invalid_value", param=f"{param}.data")
    media_type = typed(_text, bytes(found.get("mimeType", b"null")), f"{param}.mimeType") or ""
    name = typed(_text, bytes(found.get("displayName", b"null")), f"{param}.displayName") or ""
    return medium(sniffed(data, media_type), data, filename=name)


def _file(value: bytes, param: str) -> Part:
    found = raw_members(value, param)
    uri = typed(_text, bytes(found.get("fileUri", b"null")), f"{param}.fileUri") or ""
    if not uri:
        raise Unreadable(f"'{param}.fileUri' must not be empty.", code="invalid_value", param=f"{param}.fileUri")
    media_type = typed(_text, bytes(found.get("mimeType", b"null")), f"{param}.mimeType") or ""
    url, file_id = ("", uri) if uri.startswith(_FILES) else (uri, "")
    dialect = DIALECT if file_id else ""
    if media_type.startswith("image/"):
        return Image(url=url, file_id=file_id, media_type=media_type, dialect=dialect)
    return File(url=url, file_id=file_id, media_type=media_type, dialect=dialect)


def _media(value: bytes, param: str) -> list[Part]:
    """Read a medium inside a result."""
    part = raw_members(value, param)
    if "inlineData" in part:
        return [_inline(bytes(part["inlineData"]), f"{param}.inlineData")]
    if "fileData" in part:
        return [_file(bytes(part["fileData"]), f"{param}.fileData")]
    return []


def _call(value: bytes, param: str, blob: Blob | None) -> ToolCall:
    found = raw_members(value, param)
    name = typed(_text, bytes(found.get("name", b"null")), f"{param}.name") or ""
    if not name:
        raise Unreadable(f"'{param}.name' must not be empty.", code="invalid_value", param=f"{param}.name")
    id = typed(_text, bytes(found.get("id", b"null")), f"{param}.id") or ""
    args = bytes(found.get("args", b"null"))
    if args == b"null":
        return ToolCall(id, name, "{}", blob=blob)
    typed(_raws, args, f"{param}.args")
    return ToolCall(id, name, compacted(args), blob=blob)


def _hosted(kind: str, value: bytes, param: str) -> Hosted:
    found = typed(_object, value, param)
    said = found.get("code") or found.get("output")
    hosted = "code" if kind in ("executableCode", "codeExecutionResult") else "hosted"
    id = found.get("id") if isinstance(found.get("id"), str) else ""
    return Hosted(hosted, str(id), said if isinstance(said, str) else "", raw=({kind: found},), dialect=DIALECT)


def _joined(parts: list[Part]) -> list[Part]:
    """Put together what a stream said in pieces: texts and thoughts up to their signature."""
    told: list[Part] = []
    for part in parts:
        before = told[-1] if told else None
        if isinstance(part, Text) and isinstance(before, Text) and not before.blob:
            told[-1] = Text(before.text + part.text, blob=part.blob)
        elif isinstance(part, Reasoning) and isinstance(before, Reasoning) and not before.blob:
            told[-1] = Reasoning(before.text + part.text, blob=part.blob)
        elif isinstance(part, Text) and not part.text and not part.blob:
            continue
        else:
            told.append(part)
    return told


_STANDARD = str.maketrans("-_", "+/")
