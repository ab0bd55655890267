"""OpenAI's endpoints beside chat: embeddings, images, moderations; sound is openai_media_audio.py.

Scripts, keys and faults work as for chat. Legacy completions are openai_media_completions.py.
"""

import re
from typing import Any

from tests.upstreams import openai_chat, openai_media_audio, openai_media_forms
from tests.upstreams.connection import Arrival
from tests.upstreams.dialect import Dialect, Endpoint, World, count_tokens, register
from tests.upstreams.ids import letters
from tests.upstreams.media import kind_of
from tests.upstreams.openai_media_forms import body_of, need, typed
from tests.upstreams.openai_media_speaker import MediaAsk, MediaSpeaker, image, now
from tests.upstreams.openai_media_vectors import as_base64, vector
from tests.upstreams.responses_errors import missing, only, outside, refused, text, wrong_type, wrong_value
from tests.upstreams.said import Counts

BASE = openai_chat.BASE
SIZES = {"text-embedding-3-large": 3072}
SIZE = 1536
INPUTS = 2048
EMBEDDING_FIELDS = frozenset({"model", "input", "encoding_format", "dimensions", "user"})
# fmt: off
IMAGE_FIELDS = frozenset({
    "model", "prompt", "n", "size", "quality", "background", "moderation", "output_compression", "output_format",
    "partial_images", "response_format", "stream", "style", "user",
})
EDIT_FIELDS = IMAGE_FIELDS - {"style"} | {"image", "mask", "input_fidelity"}
# fmt: on
CATEGORIES = (
    "harassment",
    "harassment/threatening",
    "hate",
    "hate/threatening",
    "illicit",
    "illicit/violent",
    "self-harm",
    "self-harm/intent",
    "self-harm/instructions",
    "sexual",
    "sexual/minors",
    "violence",
    "violence/graphic",
)  # fmt: skip


def read_embeddings(arrival: Arrival, _: World) -> MediaAsk:
    """Read a request for embeddings; raise Refused."""
    body = body_of(arrival)
    need(body, "model", "input")
    only(body, EMBEDDING_FIELDS, "")
    inputs = _inputs(body["input"])
    shape, dimensions = body.get("encoding_format") or "float", body.get("dimensions")
    if shape not in ("float", "base64"):
        raise wrong_value("encoding_format", shape, ("float", "base64"))
    size = SIZES.get(text(body["model"], "model"), SIZE)
    if dimensions is not None:
        if not isinstance(dimensions, int) or isinstance(dimensions, bool):
            raise wrong_type("dimensions", "an integer", dimensions)
        if not 1 <= dimensions <= size:
            raise (
                outside("dimensions", dimensions, least=1)
                if dimensions < 1
                else outside("dimensions", dimensions, most=size)
            )
        size = dimensions
    tokens = sum(len(one) if isinstance(one, list) else count_tokens(one) for one in inputs)
    vectors = [vector(str(one), size) for one in inputs]
    data = [
        {"object": "embedding", "index": index, "embedding": as_base64(one) if shape == "base64" else one}
        for index, one in enumerate(vectors)
    ]

    def made(_: str, counts: Counts) -> Any:
        usage = {"prompt_tokens": counts.prompt, "total_tokens": counts.prompt}
        return {"object": "list", "data": data, "model": body["model"], "usage": usage}

    return MediaAsk(text(body["model"], "model"), stream=False, text=_words(inputs), prompt_tokens=tokens, body=made)


def _inputs(given: Any) -> list[Any]:
    """Return what shall be embedded: texts, or lists of token numbers."""
    if isinstance(given, str) or (isinstance(given, list) and given and all(_is_token(one) for one in given)):
        given = [given]
    if not isinstance(given, list) or not given:
        raise refused("'$.input' is invalid. Please check the API reference.", None)
    if len(given) > INPUTS:
        raise refused("'$.input' is too long: at most 2048 elements.", "input", "array_above_max_length")
    for one in given:
        tokens = isinstance(one, list) and one and all(_is_token(token) for token in one)
        if not tokens and not (isinstance(one, str) and one):
            raise refused("'$.input' is invalid. Please check the API reference.", None)
    return given


def _is_token(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= 0


def _words(inputs: list[Any]) -> str:
    return " ".join(one for one in inputs if isinstance(one, str))


def read_image(arrival: Arrival, _: World) -> MediaAsk:
    """Read a request for pictures; raise Refused."""
    body = body_of(arrival)
    only(body, IMAGE_FIELDS, "")
    return _pictures(body, pictures=0)


def read_edit(arrival: Arrival, _: World) -> MediaAsk:
    """Read a request to change pictures; raise Refused."""
    form = openai_media_forms.read(arrival)
    only(dict.fromkeys(form.names()), EDIT_FIELDS, "")
    images = [file for file in form.files if file.field in ("image", "image[]")]
    if not images:
        raise missing("image")
    for file in form.files:
        if kind_of(file.data) not in ("image/png", "image/jpeg", "image/webp"):
            raise refused(f"Invalid image file or mode for '{file.field}', please check your image file.", file.field)
    return _pictures(typed(form), pictures=len(images))


def _pictures(body: dict[str, Any], *, pictures: int) -> MediaAsk:
    need(body, "prompt")
    prompt = text(body["prompt"], "prompt", most=32000)
    model, count = body.get("model") or "gpt-image-1", body.get("n") or 1
    if not isinstance(count, int) or not 1 <= count <= 10:
        raise outside("n", count, most=10)
    older = str(model).startswith("dall-e")
    if not older and body.get("response_format") is not None:
        raise refused("Unknown parameter: 'response_format'.", "response_format", "unknown_parameter")
    drafts = body.get("partial_images") or 0
    if isinstance(drafts, bool) or not isinstance(drafts, int):
        raise wrong_type("partial_images", "an integer", drafts)
    if not 0 <= drafts <= 3:
        raise outside("partial_images", drafts, most=3)
    if not re.fullmatch(r"auto|\d+x\d+", str(body.get("size") or "auto")):
        raise wrong_value("size", body["size"], ("1024x1024", "1024x1536", "1536x1024", "auto"))
    by_url = older and body.get("response_format") != "b64_json"
    kind = "edit" if pictures else "generation"

    def made(_: str, counts: Counts) -> Any:
        tokens = {"text_tokens": counts.prompt, "image_tokens": 64 * pictures}
        usage = {
            "total_tokens": counts.prompt + 64 * pictures + 272 * count,
            "input_tokens": counts.prompt + 64 * pictures,
            "output_tokens": 272 * count,
            "input_tokens_details": tokens,
        }
        if body.get("stream"):
            shown = {"b64_json": image(prompt), "created_at": now(), "size": "1024x1024", "output_format": "png"}
            kinds = {"type": f"image_{kind}.partial_image"}
            early = [{**shown, **kinds, "partial_image_index": at} for at in range(drafts)]
            return [*early, {**shown, "usage": usage}]
        urls = [{"url": f"https://images.invalid/{letters(12)}.png", "revised_prompt": prompt} for _ in range(count)]
        data = urls if by_url else [{"b64_json": image(f"{prompt} {index}")} for index in range(count)]
        return {"created": now(), "data": data, **({} if older else {"usage": usage})}

    return MediaAsk(
        text(model, "model"),
        stream=bool(body.get("stream")),
        text=prompt,
        prompt_tokens=count_tokens(prompt),
        body=made,
        events={"done": f"image_{kind}.completed"},
    )


def read_moderation(arrival: Arrival, _: World) -> MediaAsk:
    """Read a request to judge; raise Refused. What holds the word `violence` is flagged."""
    body = body_of(arrival)
    need(body, "input")
    only(body, frozenset({"model", "input"}), "")
    given = body["input"] if isinstance(body["input"], list) else [body["input"]]
    if not given:
        raise refused("Invalid 'input': empty array.", "input", "empty_array")
    parts = all(isinstance(one, dict) and one.get("type") in ("text", "image_url") for one in given)
    if not parts and not all(isinstance(one, str) for one in given):
        raise wrong_type("input", "one of a string or array of strings", given[0])
    judged = [" ".join(str(one.get("text", "")) for one in given)] if parts else given
    model = body.get("model") or "omni-moderation-latest"
    results = [_judged(words) for words in judged]

    def made(_: str, __: Counts) -> Any:
        return {"id": f"modr-{letters(29)}", "model": model, "results": results}

    return MediaAsk(text(model, "model"), stream=False, text=" ".join(judged), prompt_tokens=0, body=made)


def _judged(words: str) -> dict[str, Any]:
    found = {name: name in words.lower() for name in CATEGORIES}
    scores = {name: 0.97 if bad else 0.0001 for name, bad in found.items()}
    kinds = {name: ["text"] for name in CATEGORIES}
    return {
        "flagged": any(found.values()),
        "categories": found,
        "category_scores": scores,
        "category_applied_input_types": kinds,
    }


def _post(path: str, read: Any) -> Endpoint:
    return Endpoint("POST", re.compile(BASE + path), read, MediaSpeaker)


DIALECT = register(
    Dialect(
        name="openai_media",
        manner="openai",
        endpoints=(
            _post("/embeddings", read_embeddings),
            _post("/images/generations", read_image),
            _post("/images/edits", read_edit),
            _post("/audio/speech", openai_media_audio.read_speech),
            _post("/audio/transcriptions", openai_media_audio.read_transcription),
            _post("/moderations", read_moderation),
        ),
        pages=(),
        key=openai_chat.key,
    )
)
