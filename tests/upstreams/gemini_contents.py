"""What Gemini refuses in contents: roles, parts, media, the order of calls and responses, thought signatures."""

from typing import Any

from tests.upstreams import signatures
from tests.upstreams.answer import Refused
from tests.upstreams.gemini_models import Family
from tests.upstreams.gemini_refusals import invalid
from tests.upstreams.gemini_shapes import unsealed
from tests.upstreams.media import kind_of

VENDOR = "gemini"
DATA = (
    "text", "inlineData", "fileData", "functionCall", "functionResponse", "executableCode", "codeExecutionResult",
    "toolCall", "toolResponse",
)  # fmt: skip
MIME = frozenset({
    "image/png", "image/jpeg", "image/webp", "image/heic", "image/heif", "application/pdf", "audio/wav", "audio/mp3",
    "audio/mpeg", "audio/aiff", "audio/aac", "audio/ogg", "audio/flac", "video/mp4", "video/mpeg", "video/mov",
    "video/quicktime", "video/avi", "video/x-flv", "video/mpg", "video/webm", "video/wmv", "video/3gpp",
    "application/json", "application/rtf", "application/x-javascript",
})  # fmt: skip
FILES = ("https://generativelanguage.googleapis.com/", "gs://", "https://www.youtube.com/", "https://youtu.be/")
# What the documents offer for calls that another model made, as they stand and in base64.
DUMMIES = ("skip_thought_signature_validator", "context_engineering_is_the_way_to_go")
_COUNT = (
    "Please ensure that the number of function response parts is equal to the number of function call parts of the "
    "function call turn."
)
_SIGNATURES = "https://ai.google.dev/gemini-api/docs/thought-signatures"


def check(contents: list[dict[str, Any]], kind: Family) -> None:
    """Raise Refused for the first thing that is wrong."""
    if not contents:
        raise _at("contents", "contents is not specified")
    for index, content in enumerate(contents):
        _content(content, f"contents[{index}]", kind)
    _order(contents)
    if kind.newest:
        _signed_calls(contents)


def check_system(content: dict[str, Any] | None) -> None:
    """Raise Refused unless the system instruction is text."""
    for index, part in enumerate((content or {}).get("parts", ())):
        if "text" not in part:
            raise _at(f"system_instruction.parts[{index}]", "system instruction supports text parts only.")


def _content(content: dict[str, Any], where: str, kind: Family) -> None:
    role = content.get("role") or "user"
    if role == "function" and kind.newest:
        text = (
            "Role 'function' is not supported. Please use a valid role: SYSTEM, USER, ASSISTANT, DEVELOPER, CONTEXT, "
        )
        raise Refused(invalid(text + "USER_CONTEXT, MODEL, USER."))
    if role not in ("user", "model", "function"):
        raise Refused(invalid("Please use a valid role: user, model."))
    if not content.get("parts"):
        raise _at(f"{where}.parts", "contents.parts must not be empty.")
    for index, part in enumerate(content["parts"]):
        _part(part, f"{where}.parts[{index}]", kind)
    if role == "model" and any("functionResponse" in part for part in content["parts"]):
        raise Refused(invalid("Please ensure that function response turn comes from the user."))
    if role != "model" and any("functionCall" in part for part in content["parts"]):
        raise Refused(invalid("Please ensure that function call turn comes from the model."))


def _part(part: dict[str, Any], where: str, kind: Family) -> None:
    held = [name for name in DATA if name in part]
    if not held:
        raise _at(f"{where}.data", "required oneof field 'data' must have one initialized field")
    if len(held) > 1:
        text = f"Invalid value at '{where}' (oneof), oneof field 'data' is already set. Cannot set '{held[1]}'"
        raise Refused(invalid(text))
    if "thoughtSignature" in part and not _issued(part["thoughtSignature"]):
        raise Refused(invalid("Corrupted thought signature."))
    match held[0]:
        case "inlineData":
            _blob(part["inlineData"], f"{where}.inline_data")
        case "fileData":
            _file(part["fileData"], f"{where}.file_data")
        case "functionCall":
            _named(part["functionCall"], f"{where}.function_call")
        case "functionResponse":
            _response(part["functionResponse"], f"{where}.function_response", kind)


def _blob(blob: dict[str, Any], where: str) -> None:
    mime = blob.get("mimeType", "")
    if not mime:
        raise _at(f"{where}.mime_type", "mime_type must not be empty.")
    data = unsealed(blob.get("data", ""))
    if not data:
        raise _at(f"{where}.data", "data must not be empty.")
    if mime.partition(";")[0] not in MIME and not mime.startswith("text/"):
        raise Refused(invalid(f"Unsupported MIME type: {mime}"))
    found = kind_of(data)
    if mime.startswith("image/") and mime not in ("image/heic", "image/heif") and found != mime:
        raise Refused(invalid("Unable to process input image. Please retry or report in https://developers.google.com"))
    if mime == "application/pdf" and found != mime:
        raise Refused(invalid("The document has no pages."))


def _file(file: dict[str, Any], where: str) -> None:
    if not file.get("fileUri"):
        raise _at(f"{where}.file_uri", "file_uri must not be empty.")
    if not file["fileUri"].startswith(FILES):
        raise Refused(invalid(f"Invalid or unsupported file uri: {file['fileUri']}"))


def _named(call: dict[str, Any], where: str) -> None:
    if not call.get("name"):
        raise _at(f"{where}.name", "Name cannot be empty.")


def _response(response: dict[str, Any], where: str, kind: Family) -> None:
    _named(response, where)
    if "response" not in response:
        raise _at(f"{where}.response", "response must not be empty.")
    if response.get("parts") and not kind.media_in_results:
        text = "Unable to submit request because `function_response.parts` is not supported for this model."
        raise Refused(invalid(text))
    for index, part in enumerate(response.get("parts", ())):
        if "inlineData" in part:
            _blob(part["inlineData"], f"{where}.parts[{index}].inline_data")


def _order(contents: list[dict[str, Any]]) -> None:
    """Check that each turn of calls follows a user's and is followed by exactly its responses."""
    for index, content in enumerate(contents):
        calls, responses = _of(content, "functionCall"), _of(content, "functionResponse")
        before = contents[index - 1] if index else None
        if calls and (before is None or before.get("role") == "model"):
            text = "Please ensure that function call turn comes immediately after a user turn or after a function "
            raise Refused(invalid(text + "response turn."))
        if calls and (index + 1 == len(contents) or not _of(contents[index + 1], "functionResponse")):
            raise Refused(invalid(_COUNT))
        if not responses:
            continue
        asked = _of(before, "functionCall") if before is not None else []
        if not asked:
            text = "Please ensure that function response turn comes immediately after a function call turn."
            raise Refused(invalid(text))
        first_other = next((at for at, part in enumerate(content["parts"]) if "functionResponse" not in part), None)
        if len(asked) != len(responses) or (first_other is not None and first_other < len(responses)):
            raise Refused(invalid(_COUNT))
        _matching(asked, responses)


def _matching(asked: list[dict[str, Any]], responses: list[dict[str, Any]]) -> None:
    """Check that responses belong to the calls: by id where both have ids, else by name in the order of the calls."""
    if all(call.get("id") for call in asked) and all(response.get("id") for response in responses):
        called, answered = (sorted((one["id"], one["name"]) for one in ones) for ones in (asked, responses))
    else:
        called, answered = ([("", one["name"]) for one in ones] for ones in (asked, responses))
    if called != answered:
        raise Refused(invalid("Please ensure that the function response parts match the function call parts in order."))


def _signed_calls(contents: list[dict[str, Any]]) -> None:
    """Check that the first call of every step of the current turn carries its signature."""
    begin = 0
    for index, content in enumerate(contents):
        if content.get("role", "user") == "user" and any("functionResponse" not in part for part in content["parts"]):
            begin = index
    for index, content in enumerate(contents[begin:], begin):
        first = next((part for part in content["parts"] if "functionCall" in part), None)
        if first is not None and not first.get("thoughtSignature"):
            text = (
                "Function call is missing a thought_signature in functionCall parts. This is required for tools to "
                "work correctly, and missing thought_signature may lead to degraded model performance. Additional "
                f"data, function call `default_api:{first['functionCall']['name']}` , position {index + 1}. Please "
                f"refer to {_SIGNATURES} for more details."
            )
            raise Refused(invalid(text))


def _issued(signature: str) -> bool:
    plain = (unsealed(signature) or b"").decode("latin-1")
    return signature in DUMMIES or plain in DUMMIES or signatures.vouches(VENDOR, signature, None)


def _of(content: dict[str, Any], name: str) -> list[dict[str, Any]]:
    return [part[name] for part in content["parts"] if name in part]


def _at(where: str, text: str) -> Refused:
    return Refused(invalid(f"* GenerateContentRequest.{where}: {text}\n"))
