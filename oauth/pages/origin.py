"""Where the console was opened, as its visitor's browser names it."""

from urllib.parse import urlsplit

from django.conf import settings
from django.http import HttpRequest


def origin_of(request: HttpRequest) -> str:
    """Return scheme, host and port. Behind a proxy the request's scheme may be another than the browser's: of its own
    public address the operator's word counts."""
    host: str = request.get_host()
    if urlsplit(settings.PUBLIC_URL).netloc == host:
        return settings.PUBLIC_URL
    return f"{request.scheme}://{host}"
