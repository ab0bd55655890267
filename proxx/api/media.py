"""The doors beside chat: legacy completions, embeddings, pictures, sound, moderations. The same walk, other paths."""

from collections.abc import Awaitable, Callable

from django.http import HttpRequest
from django.http.response import HttpResponseBase
from ninja import Router

from accounts import scopes
from proxx.api import exchange
from proxx.api.auth import Policy
from proxx.protocols import registry

router = Router(tags=["Media"])

Door = Callable[[HttpRequest], Awaitable[HttpResponseBase]]

# Path, dialect, its form, what it is, and the scope it asks for. OpenAI's paths are also found without their version.
OPENAI_DOORS = (
    ("/completions", "openai_completions", "", "Legacy completion, whole or streamed", scopes.CHAT),
    ("/embeddings", "openai_embeddings", "", "Embeddings", scopes.EMBEDDINGS),
    ("/images/generations", "openai_images", "", "Make pictures, whole or streamed", scopes.IMAGES),
    ("/images/edits", "openai_images", "edits", "Change pictures, whole or streamed", scopes.IMAGES),
    ("/audio/speech", "openai_speech", "", "Say a text", scopes.AUDIO),
    ("/audio/transcriptions", "openai_transcriptions", "", "Write down what is said", scopes.AUDIO),
    (
        "/audio/translations",
        "openai_transcriptions",
        "translations",
        "Write down in English what is said",
        scopes.AUDIO,
    ),
    ("/moderations", "openai_moderations", "", "Judge texts and pictures", scopes.MODERATIONS),
)
OLLAMA_DOORS = (
    ("/api/embed", "ollama_embed", "", "Embeddings", scopes.EMBEDDINGS),
    ("/api/embeddings", "ollama_embed", "old", "One embedding, the old way", scopes.EMBEDDINGS),
)


def _door(dialect: str, endpoint: str, form: str) -> Door:
    protocol = registry.get(dialect)
    said = {"form": form} if form else {}

    async def answer(request: HttpRequest) -> HttpResponseBase:
        return await exchange.answer(request, protocol, endpoint, **said)

    return answer


for _path, _dialect, _form, _summary, _scope in OPENAI_DOORS:
    _answer, _asks = _door(_dialect, f"/v1{_path}", _form), Policy(_scope)
    router.post(f"/v1{_path}", auth=_asks, summary=_summary, operation_id=f"{_dialect}{_form}")(_answer)
    router.post(_path, auth=_asks, include_in_schema=False)(_answer)
for _path, _dialect, _form, _summary, _scope in OLLAMA_DOORS:
    _answer = _door(_dialect, _path, _form)
    router.post(_path, auth=Policy(_scope), summary=_summary, operation_id=f"{_dialect}{_form}")(_answer)
