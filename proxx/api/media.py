"""The doors beside chat: legacy completions, embeddings, pictures, sound, moderations. The same walk, other paths."""

from collections.abc import Awaitable, Callable

from django.http import HttpRequest
from django.http.response import HttpResponseBase
from ninja import Router

from proxx.api import exchange
from proxx.api.auth import client_key
from proxx.protocols import registry

router = Router(auth=client_key, tags=["Media"])

Door = Callable[[HttpRequest], Awaitable[HttpResponseBase]]

# Path, dialect, its form, and what it is. OpenAI's paths are also found without their version.
OPENAI_DOORS = (
    ("/completions", "openai_completions", "", "Legacy completion, whole or streamed"),
    ("/embeddings", "openai_embeddings", "", "Embeddings"),
    ("/images/generations", "openai_images", "", "Make pictures, whole or streamed"),
    ("/images/edits", "openai_images", "edits", "Change pictures, whole or streamed"),
    ("/audio/speech", "openai_speech", "", "Say a text"),
    ("/audio/transcriptions", "openai_transcriptions", "", "Write down what is said"),
    ("/audio/translations", "openai_transcriptions", "translations", "Write down in English what is said"),
    ("/moderations", "openai_moderations", "", "Judge texts and pictures"),
)
OLLAMA_DOORS = (
    ("/api/embed", "ollama_embed", "", "Embeddings"),
    ("/api/embeddings", "ollama_embed", "old", "One embedding, the old way"),
)


def _door(dialect: str, endpoint: str, form: str) -> Door:
    protocol = registry.get(dialect)
    said = {"form": form} if form else {}

    async def answer(request: HttpRequest) -> HttpResponseBase:
        return await exchange.answer(request, protocol, endpoint, **said)

    return answer


for _path, _dialect, _form, _summary in OPENAI_DOORS:
    _answer = _door(_dialect, f"/v1{_path}", _form)
    router.post(f"/v1{_path}", summary=_summary, operation_id=f"{_dialect}{_form}")(_answer)
    router.post(_path, include_in_schema=False)(_answer)
for _path, _dialect, _form, _summary in OLLAMA_DOORS:
    _answer = _door(_dialect, _path, _form)
    router.post(_path, summary=_summary, operation_id=f"{_dialect}{_form}")(_answer)
