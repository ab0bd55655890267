"""URLs of providers: joined, filled, judged. Text only; the one that sends them parses and checks them again."""

import re
from urllib.parse import quote, urlsplit

VERSION_SEGMENT = re.compile(r"v\d+[a-z0-9]*")


def join_url(base: str, path: str) -> str:
    """Join a base URL and a path; a version that ends the one and begins the other appears once."""
    if not path.startswith("/"):
        return path
    base = base.rstrip("/")
    last, first = base.rsplit("/", 1)[-1], path[1:].split("/", 1)[0]
    if last == first and VERSION_SEGMENT.fullmatch(first):
        path = path[len(first) + 1 :]
    return base + path


def fill(path: str, model: str) -> str:
    """Write the model's name into a path that carries it."""
    return path.replace("{model}", quote(model, safe="")) if "{model}" in path else path


def origin(url: str) -> str:
    """Return `scheme://host:port` of a URL, with the usual port written out; empty for an empty URL."""
    if not url:
        return ""
    parts = urlsplit(url)
    port = parts.port or (443 if parts.scheme == "https" else 80)
    host = parts.hostname or ""
    return f"{parts.scheme}://[{host}]:{port}" if ":" in host else f"{parts.scheme}://{host}:{port}"


def base_url_fault(url: str) -> str | None:
    """Say what is wrong with a base URL, or nothing."""
    if any(character <= " " or character in '\\"<>^`{|}\x7f' for character in url) or not url.isascii():
        return "holds characters that a URL cannot hold"
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        return "is not a URL"
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        return "must begin with https:// or http:// and name a host"
    if parts.username is not None or parts.password is not None:
        return "must not hold a user name or password"
    if parts.query or parts.fragment or "?" in url or "#" in url:
        return "must not hold a query or a fragment"
    return "names port 0" if port == 0 else None
