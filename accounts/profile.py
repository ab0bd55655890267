"""Profile: a named set of request options. Who has it: a tenant, one of its keys, or a listener (routing/models.py).

One profile applies to a call, whole: the listener's, else the key's, else the tenant's. What its options do is
proxx/protocols/profile; a Snapshot holds them ready (routing/snapshot/profiles.py).
"""

import re
from uuid import uuid4

from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models

from accounts.audited import Audited
from proxx.kit import clock, logs
from proxx.protocols.profile.options import Options
from proxx.upstream import auth

# Ours to write: who we are to the provider, and how the body travels.
OWN_HEADERS = frozenset(name.decode() for name in auth.NAMES) | {
    "accept-encoding", "connection", "content-encoding", "content-length", "content-type", "cookie", "expect", "host",
    "keep-alive", "te", "trailer", "transfer-encoding", "upgrade",
}  # fmt: skip
LONGEST_DELAY = 5000  # milliseconds

_NAME = re.compile(r"[!#$%&'*+\-.^_`|~0-9A-Za-z]{1,100}")
_VALUE = re.compile(r"[\x20-\x7e]{0,1000}")


class Profile(Audited):
    """Request options under one name; an empty option leaves the matter to the request."""

    class Effort(models.TextChoices):
        """How much to think."""

        NONE = "none", "None"
        MINIMAL = "minimal", "Minimal"
        LOW = "low", "Low"
        MEDIUM = "medium", "Medium"
        HIGH = "high", "High"
        XHIGH = "xhigh", "Extra high"

    class Summary(models.TextChoices):
        """What to show of it."""

        NEVER = "never", "No summary"
        AUTO = "auto", "As the provider sees fit"
        CONCISE = "concise", "Concise"
        DETAILED = "detailed", "Detailed"

    class Shown(models.TextChoices):
        """Where reasoning goes in an answer."""

        TEXT = "text", "As text of the answer"
        HIDDEN = "hidden", "Left out"

    class Fast(models.TextChoices):
        """Who gets the priority tier."""

        ASKED = "asked", "Requests that ask for it"
        ALWAYS = "always", "All requests that do not refuse it"

    class Dialect(models.TextChoices):
        """What to ask in, where a provider knows several dialects."""

        CHAT = "openai_chat", "OpenAI Chat Completions"
        RESPONSES = "openai_responses", "OpenAI Responses"
        ANTHROPIC = "anthropic", "Anthropic Messages"
        GEMINI = "gemini", "Google Gemini"
        OLLAMA = "ollama", "Ollama"

    id = models.UUIDField(primary_key=True, default=uuid4, editable=False)
    name = models.CharField(max_length=120, unique=True, help_text="For example “editors” or “Responses bridge”.")
    notes = models.TextField(blank=True, help_text="For people; proxx does not read it.")
    temperature = models.FloatField(
        null=True,
        blank=True,
        validators=[MinValueValidator(0.0), MaxValueValidator(2.0)],
        help_text="Replaces the temperature of every request, 0 to 2. Empty: as requested. Models that take none get "
        "none.",
    )
    web_search = models.BooleanField(
        "offer a web search",
        default=False,
        help_text="A request without tools may search the web, if its provider can (Responses, Anthropic, Gemini).",
    )
    reasoning_effort = models.CharField(
        "effort",
        max_length=16,
        blank=True,
        choices=Effort.choices,
        help_text="How much to think where a request says nothing about reasoning.",
    )
    reasoning_summary = models.CharField(
        "summary",
        max_length=16,
        blank=True,
        choices=Summary.choices,
        help_text="What to show of the thinking where a request says nothing about it.",
    )
    complete_reasoning = models.BooleanField(
        "fill gaps",
        default=False,
        help_text="A request that names only the effort gets the summary from here, and the other way round. Off: a "
        "request that says anything about reasoning is left alone.",
    )
    reasoning_shown = models.CharField(
        "in answers",
        max_length=16,
        blank=True,
        choices=Shown.choices,
        help_text="In each client's own form; or as text under a heading before the answer, for clients that show "
        "nothing else; or not at all.",
    )
    models_include = models.TextField(
        "list only",
        blank=True,
        help_text="Names for model lists, one a line, * for anything: *codex* lists only names with “codex”. Empty: "
        "all. This shortens lists; a request may still name any model.",
    )
    models_exclude = models.TextField(
        "leave out", blank=True, help_text="Names that model lists leave out, one a line, * for anything."
    )
    reasoning_variants = models.BooleanField(
        "reasoning in model names",
        default=False,
        help_text="Lists each model once more for each wish, such as gpt-5:res-high:sum-auto, and understands these "
        "names. For clients that can choose a model and nothing else.",
    )
    fast_mode = models.CharField(
        max_length=16,
        blank=True,
        choices=Fast.choices,
        help_text="Asks for service_tier “priority”, which costs more, of providers that are spoken to in Responses. "
        "Requests ask with the header x-open-hax-fast-mode: true, or refuse with false.",
    )
    chunk_delay_ms = models.PositiveIntegerField(
        "pause between words",
        null=True,
        blank=True,
        validators=[MaxValueValidator(LONGEST_DELAY)],
        help_text="Milliseconds. Only where a provider gave a whole answer although a stream was asked for: the answer "
        "is then told word by word. Empty: at once.",
    )
    chunk_delay_max_ms = models.PositiveIntegerField(
        "at most",
        null=True,
        blank=True,
        validators=[MaxValueValidator(LONGEST_DELAY)],
        help_text="Milliseconds. Each pause is of a random length up to this. Empty: all pauses are equal.",
    )
    preferred_dialect = models.CharField(
        "ask in",
        max_length=32,
        blank=True,
        choices=Dialect.choices,
        help_text="The dialect for providers that know several: with Responses, chat requests go to /v1/responses and "
        "come back as chat.",
    )
    headers = models.TextField(
        "extra headers",
        blank=True,
        help_text="Sent to providers with every call, one a line: X-Team: research. Never a secret: those are "
        "credentials.",
    )
    blocked_headers = models.TextField(
        blank=True,
        help_text="Names of headers that providers do not get although they usually would, one a line: anthropic-beta.",
    )
    created_at = models.DateTimeField("created", default=clock.now, editable=False)

    class Meta:
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name

    def clean(self) -> None:
        """Refuse headers that are ours to write, and pauses that end before they begin."""
        for field, read in (("headers", headers_of), ("blocked_headers", names_of)):
            try:
                read(getattr(self, field))
            except ValueError as fault:
                raise ValidationError({field: str(fault)}) from None
        if self.chunk_delay_max_ms is not None and self.chunk_delay_max_ms < (self.chunk_delay_ms or 0):
            raise ValidationError({"chunk_delay_max_ms": "This is less than the pause itself."})

    def options(self) -> Options:
        """Return what the row asks for; raise `ValueError` with a sentence for one that cannot be used."""
        least, most = self.chunk_delay_ms, self.chunk_delay_max_ms
        delay = None if not (least or most) else ((least or 0) / 1000, max(least or 0, most or 0) / 1000)
        return Options(
            temperature=self.temperature,
            web_search=self.web_search,
            effort=self.reasoning_effort,
            summary=self.reasoning_summary,
            fill_gaps=self.complete_reasoning,
            shown=self.reasoning_shown,
            include=lines_of(self.models_include.lower()),
            exclude=lines_of(self.models_exclude.lower()),
            variants=self.reasoning_variants,
            fast=self.fast_mode,
            headers=headers_of(self.headers),
            blocked=frozenset(name.encode() for name in names_of(self.blocked_headers)),
            delay=delay,
            prefer=self.preferred_dialect,
        )


def lines_of(text: str) -> tuple[str, ...]:
    """Return the lines that say something."""
    return tuple(line.strip() for line in text.splitlines() if line.strip())


def headers_of(text: str) -> tuple[tuple[bytes, bytes], ...]:
    """Read `Name: value` lines; raise `ValueError`, with a sentence, for a line that is none or must not be sent."""
    found: dict[str, str] = {}
    for line in lines_of(text):
        name, colon, value = line.partition(":")
        value = value.strip()
        if not colon or not _VALUE.fullmatch(value):
            raise ValueError(f"Write each header as Name: value, in plain characters, unlike “{line[:60]}”.")
        if logs.masked(f"x {value}") != f"x {value}":
            raise ValueError(f"The value of {name[:60]} looks like a secret. Secrets belong into a credential.")
        found[_allowed(name)] = value
    return tuple((name.encode(), value.encode()) for name, value in found.items())


def names_of(text: str) -> tuple[str, ...]:
    """Read names of headers, one a line; raise `ValueError`, with a sentence, for what is none or must be sent."""
    return tuple(_allowed(line) for line in lines_of(text))


def _allowed(name: str) -> str:
    name = name.strip().lower()
    if not _NAME.fullmatch(name):
        raise ValueError(f"“{name[:60]}” is no name of a header.")
    if name in OWN_HEADERS or name.startswith("proxy-"):
        raise ValueError(f"The header {name} is written by proxx itself.")
    return name
