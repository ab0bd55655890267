"""How many tokens a request may have, guessed locally and cheaply: for callers who ask before they send, for dialects
that speak of the input first, and for context windows (D129).

No tokenizer: letters, signs and foreign scripts are counted, each with its usual share of a token, and the sum is
weighted by the model's family. Meant to be a little high: a caller who believes there is room, and is wrong, fails.
"""

from proxx.protocols.framing.encode import encoded
from proxx.protocols.hub.parts import (
    Audio,
    Compaction,
    File,
    Hosted,
    Image,
    Opaque,
    Part,
    Reasoning,
    Refusal,
    Text,
    ToolCall,
    ToolResult,
)
from proxx.protocols.hub.request import Request, ToolSpec

_PLAIN = b" ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
_ASCII = bytes(range(128))
PLAIN_PER_TOKEN = 4.4  # letters and blanks: English prose, and code with its long names
SIGNS_PER_TOKEN = 1.6  # digits, punctuation, line ends
FOREIGN_PER_TOKEN = 3.2  # bytes of everything else: two or three make a character

PER_TURN = 4  # tokens that mark a turn's role and end
PER_TOOL = 14  # the same for a declared tool
PER_CALL = 10

IMAGE = {"claude": 1600, "gpt": 1100, "gemini": 1100}  # the most that is counted for one picture of usual size
IMAGE_ELSEWHERE = 1100
IMAGE_LOW_DETAIL = 85
BYTES_PER_PAGE = 60_000  # of a PDF with text and a few pictures
PAGE = {"claude": 2300, "gpt": 1500, "gemini": 560}  # its text and its picture
PAGE_ELSEWHERE = 1500
AUDIO_BYTES_PER_TOKEN = {"audio/wav": 1000, "audio/x-wav": 1000}  # 32 tokens a second
AUDIO_ELSEWHERE = 500

# What a family's tokenizer makes of the same text, and what it adds once when there are tools.
FACTORS = {"claude": 1.3, "gemini": 1.05, "gpt": 1.0}
TOOLS = {"claude": 350, "gemini": 40, "gpt": 20}


def tokens(request: Request, *, family: str = "") -> int:
    """Return about how many tokens the request is for a model of this family ("claude", "gpt", "gemini", or any)."""
    family = family or next((name for name in FACTORS if name in request.model.lower()), "")
    count = 3.0
    for turn in (*request.instructions, *request.turns):
        count += PER_TURN + sum(_part(part, family) for part in turn.parts)
    if request.tools:
        count += TOOLS.get(family, 20) + sum(_tool(tool) for tool in request.tools)
    if request.output.schema:
        count += _json(request.output.schema)
    weight = FACTORS.get(family, 1.1)
    media = sum(_media(part, family) for turn in request.turns for part in turn.parts)
    return int(count * weight) + media


def tokens_of_text(text: str, *, family: str = "") -> int:
    """Return about how many tokens a text is; 0 for none, else at least 1."""
    return max(1, int(_text(text) * FACTORS.get(family, 1.0))) if text else 0


def _text(text: str) -> float:
    data = text.encode(errors="replace")
    strange = data.translate(None, _PLAIN)
    plain = len(data) - len(strange)
    foreign = 0 if text.isascii() else len(strange.translate(None, _ASCII))
    signs = len(strange) - foreign
    return plain / PLAIN_PER_TOKEN + signs / SIGNS_PER_TOKEN + foreign / FOREIGN_PER_TOKEN


def _json(value: object) -> float:
    return _text(encoded(value).decode())


def _tool(tool: ToolSpec) -> float:
    count = PER_TOOL + _text(tool.name) + _text(tool.description)
    if tool.grammar:
        count += _json(tool.grammar)
    return count + (_json(tool.schema) if tool.schema else 0)


def _part(part: Part, family: str) -> float:
    """Return the tokens of a part's words."""
    match part:
        case Text(text=text) | Refusal(text=text):
            return _text(text)
        case Reasoning():
            return _text(part.text) if part.text else sum(_text(piece) for piece in part.summary)
        case ToolCall():
            return PER_CALL + _text(part.name) + _text(part.args)
        case ToolResult():
            return PER_CALL + sum(_part(inner, family) for inner in part.parts)
        case File() if not part.data:
            return _text(part.text) + _text(part.title) + _text(part.context)
        case Hosted():
            return _text(part.query) + sum(_text(hit.title) + _text(hit.url) for hit in part.hits)
        case Compaction():
            return _text(part.text) if part.text or part.blob is None else len(part.blob.value) / 6
        case Opaque():
            return _json(part.raw)
    return 0.0


def _media(part: Part, family: str) -> int:
    """Return the tokens of a part's pictures, pages and sounds."""
    match part:
        case Image(detail="low"):
            return IMAGE_LOW_DETAIL
        case Image():
            return IMAGE.get(family, IMAGE_ELSEWHERE)
        case File() if part.data and part.media_type.startswith("text/"):
            return int(len(part.data) * 0.75 / FOREIGN_PER_TOKEN)
        case File() if part.data or part.url or part.file_id:
            pages = max(1, round(len(part.data) * 0.75 / BYTES_PER_PAGE))
            return pages * PAGE.get(family, PAGE_ELSEWHERE)
        case Audio():
            return int(len(part.data) * 0.75 / AUDIO_BYTES_PER_TOKEN.get(part.media_type, AUDIO_ELSEWHERE)) + 1
        case ToolResult():
            return sum(_media(inner, family) for inner in part.parts)
    return 0
