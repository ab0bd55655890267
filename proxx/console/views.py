"""The console's own small pages: the front door, and the icon that browsers ask for by an old name."""

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import redirect
from django.templatetags.static import static
from django.views.decorators.http import require_safe

# Ollama's clients ask the bare address whether anybody lives there, and look for exactly these words.
ALIVE = "Ollama is running"


@require_safe
def front_door(request: HttpRequest) -> HttpResponse:
    """Send a browser to the console; tell everybody else that somebody lives here."""
    if "text/html" in request.headers.get("Accept", ""):
        answer: HttpResponse = redirect("admin:index")
    else:
        answer = HttpResponse(ALIVE, content_type="text/plain; charset=utf-8")
    answer["Vary"] = "Accept"
    return answer


@require_safe
def favicon(request: HttpRequest) -> HttpResponseRedirect:
    """Point at the console's icon."""
    return HttpResponseRedirect(static("console/favicon.svg"))
