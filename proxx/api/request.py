"""A client's request in Django's terms, made without what no client path needs: cookies, uploads, a body stream."""

from collections.abc import MutableMapping
from functools import lru_cache
from io import BytesIO
from typing import Any

from django.core.handlers.asgi import ASGIRequest


class ClientRequest(ASGIRequest):
    """An `ASGIRequest` with its body in memory and its headers in META; everything else is made when asked for."""

    def __init__(self, scope: MutableMapping[str, Any], body: bytes) -> None:
        # Django's own constructor does the same for every header, and decodes names that are always the same.
        self.scope = scope
        self._post_parse_error = False
        self._read_started = False
        self._stream = BytesIO()
        self._body = body
        self.resolver_match = None
        self.script_name = ""
        self.path = self.path_info = scope["path"]
        self.method = scope["method"].upper()
        query = scope.get("query_string", b"")
        meta: dict[str, Any] = {
            "REQUEST_METHOD": self.method,
            "QUERY_STRING": query.decode("latin-1") if query else "",
            "PATH_INFO": self.path,
        }
        client = scope.get("client")
        if client:
            meta["REMOTE_ADDR"] = client[0]
        for name, value in scope.get("headers", ()):
            key = _meta_key(name)
            text = value.decode("latin-1")
            meta[key] = f"{meta[key]},{text}" if key in meta else text
        self.META = meta
        self.content_type = meta.get("CONTENT_TYPE", "")
        self.content_params = {}


@lru_cache(maxsize=512)
def _meta_key(name: bytes) -> str:
    key = name.decode("latin-1").upper().replace("-", "_")
    return key if key in ("CONTENT_TYPE", "CONTENT_LENGTH") else f"HTTP_{key}"
