"""Two pages of the docs, written from the tables that decide: docs/failures.md and docs/providers.md.

`manage.py render_docs` writes them; a test compares them with what this module would write.
"""

from collections.abc import Iterable
from itertools import groupby

from proxx.upstream import failures
from routing import cooldown
from routing.providers import Provider, load

NAMES = {
    "openai_chat": "OpenAI chat",
    "openai_responses": "OpenAI responses",
    "anthropic": "Anthropic messages",
    "gemini": "Gemini",
    "ollama": "Ollama",
    "openai_completions": "OpenAI completions",
    "openai_images": "OpenAI images",
    "openai_speech": "OpenAI speech",
    "openai_transcriptions": "OpenAI transcriptions",
    "openai_moderations": "OpenAI moderations",
    "openai_embeddings": "OpenAI embeddings",
    "ollama_embed": "Ollama embeddings",
    "gemini_embed": "Gemini embeddings",
    "hf_embeddings": "Hugging Face embeddings",
    "tei_embeddings": "TEI embeddings",
}

FAILURES_INTRO = """\
# What happens when a provider fails

This page is written from the tables that decide (`manage.py render_docs`). An upstream failure is first *named*, then
it is decided who *rests*, and what is tried *next*. Until the first byte of an answer has gone to the client, all of
this is invisible to it; afterwards nothing is tried again.

Candidates are tried one after another, each once; waiting, and what one call may cost, is [retries](retries.md). A call
for which everybody rests is answered at once, with `Retry-After`, the time of the first who is back: 429 if any of them
rests for a limit, 503 if all have only failed or been refused.

A request that is itself at fault is not carried through all accounts. At most one other provider, one that speaks
another protocol, is asked; if it cannot answer either, the client gets the first provider's own status and words.

A 400 that blames something that can be taken away (a setting this model does not take, a dead `anthropic-beta` flag, a
seal on earlier thinking that the provider cannot read, an effort it does not know) is not yet the end: the same
candidate is asked once more without it, or with the nearest effort. Settings and flags are then left out at once for an
hour, per provider and model, in each process. What is asked (messages, tools, the form of the answer) is never touched,
every change is noted in `x-proxx-warnings`, and a caller with `x-proxx-strict: true` gets the 400.

If nobody answered, the error names the providers that were asked and how each failed: it refused the connection, its
name has no address, its certificate is not trusted, it did not answer in time. Addresses, and what providers said, are
for operators only: they stand on the request's page.

## Who rests, and how long

A **hard** rest takes the credential out of every plan until it ends. A **soft** one is a guess of ours: the credential
goes to the end of the line, so that a guess alone never refuses a call. If the upstream names a time (a header, a
body, words), that time counts as it is, between 1 second and 8 days, and the rest is hard. Otherwise the default is
`PROXY_KEY_COOLDOWN_MS`, at most the time in the table; where it grows, it doubles with each failure in a row, up to
30 minutes, and a success begins anew. Many calls that fail together count as one. Jitter only adds.

A failure that names one model (see the second table) rests the credential for that model only. A country that a
provider does not serve, and a connection that two accounts in a row could not make, rest the provider's address as a
whole.

A **circuit** opens when a candidate failed so often in a row, even if it is the only one: a hard rest of
`PROXY_BREAKER_SECONDS`, twice as long each time it opens again, up to `PROXY_BREAKER_SECONDS_MAX`. Calls are then
answered without asking. When the time is over the circuit is half open: one call at a time (in each process) may try,
and its success closes the circuit for all. An answer that is only slow opens nothing.

Processes that share a `REDIS_URL` tell each other of rests, circuits and recoveries within moments. Hard rests are also
kept in the database, for the next start. The pages of credentials and providers in the console show what rests, why and
until when, and clear it, for one model or for all.

"""
FAILURES_MIDDLE = """
Some providers differ: a 403 of Factory is treated as `upstream_error`, one of Requesty as `refused_by_policy`. The
weekly limit of Ollama Cloud rests `OLLAMA_WEEKLY_COOLDOWN_MULTIPLIER` times as long. Z.ai's own codes rest a minute for
a rate, half an hour for a quota, five minutes for a key that is refused.

## How a failure is named

The first row whose evidence is there is the answer. Special evidence (the upstream's own code, its words) comes before
the bare status. “In a 200” means an error inside an answer that began well.

"""
PROVIDERS_INTRO = """\
# Providers

This page is written from the registry, `routing/data/providers.toml` (`manage.py render_docs`). A provider takes calls
as soon as it has a credential: from the environment variable below, from keys.json, or from the console. Those that
need no key take them as soon as they have an address. [Adding one](add-a-provider.md) takes an entry of data, or a form
in the console.

Which one is tried first: the primary (`UPSTREAM_PROVIDER_ID`), its fallbacks (`UPSTREAM_FALLBACK_PROVIDER_IDS`), then
the others by priority, lower numbers first. Inside a provider: credentials by their priority; equals as
[routing](routing.md) says.

## Which provider a model name leads to

| name | leads to |
|---|---|
| `gpt-x` | every provider whose list has it; those without a recent list may have it, and are tried after |
| `openai/gpt-x`, `openai:gpt-x` | OpenAI only, as `gpt-x`; any prefix below works so, in any case |
| `openai/` | the whole name, at OpenAI: an empty remainder strips nothing |
| `meta-llama/llama-3` | no provider has this name, so it is a model's own path at a router |
| `openai/gpt-x` without an OpenAI credential | a model's own path, too, at whichever router has it |
| `openai/gpt-oss` that OpenAI does not list and Groq does | Groq, under the whole name |
| `openrouter/auto` | OpenRouter, under the whole name, because it lists that |
| `qwen3:8b` | the local Ollama first (`LOCAL_OLLAMA_MODEL_PATTERNS`), unless its list says no |
| an alias | its target, if that exists; an alias wins over a model of the same name |

A model that no list has, while every provider asked has a recent list, is unknown: 404. A list older than an hour
proves nothing. Lists are read within seconds after an account came or changed, then every ten minutes;
`manage.py explain_route MODEL` shows what would happen and why.

## OpenAI

An API key belongs to the platform (`OPENAI_API_BASE_URL`), a ChatGPT account to `chatgpt.com/backend-api`, where only
Responses are spoken, at `/codex/responses`. `OPENAI_BASE_URL`, when set, moves both. The path follows the base URL:
`chatgpt.com` and any base ending in `/backend-api` are ChatGPT backends, everything else is a platform; a path variable
wins over both.

A ChatGPT backend is asked as its own client asks: `originator`, `user-agent`, `version` and `OpenAI-Beta` are
settings (`CODEX_*`, `MODELS_CLIENT_VERSION`), the account's workspace and the conversation (`session_id`, also the
prompt cache key) go along. A Codex that calls proxx speaks for itself: its name, version, session, turn state and
telemetry go up, and what the backend tells it (`x-codex-*`, `x-models-etag`) comes back; a turn state goes to no
second account. When the backend says that the workspace is gone (`deactivated_workspace`, `invalid_workspace`), the
account is asked once more without it, and if that works the workspace is forgotten.

## The registry

"""

MOVES = {
    "next": "next",
    "another_protocol": "one provider of another protocol, else the call ends",
    "another_model": "the next model of the plan, else the call ends",
    "give_up": "the call ends with this failure",
}


def failures_page() -> str:
    """Return docs/failures.md."""
    rests = _table(
        ("failure", "rests", "without a time from upstream", "circuit opens", "then", "why"),
        (
            (f"`{row.kind}`", _who(row), _length(row), _opens(row), _move(row), row.why)
            for row in cooldown.TABLE.values()
        ),
    )
    named = _table(
        ("status", "and", "means", "about", "why"),
        ((_statuses(row), _evidence(row), f"`{row.kind}`", row.scope, row.why) for row in failures.ROWS),
    )
    return FAILURES_INTRO + rests + FAILURES_MIDDLE + named


def providers_page() -> str:
    """Return docs/providers.md."""
    head = ("id", "provider", "speaks", "base URL", "key from", "base URL from", "prefixes", "priority")
    return PROVIDERS_INTRO + _table(head, (_provider(one) for one in load().values()))


def _provider(provider: Provider) -> tuple[str, ...]:
    return (
        f"`{provider.id}`",
        f"{provider.label}: {provider.about}" if provider.about else provider.label,
        ", ".join(NAMES[name] for name in provider.protocols_for("")),
        provider.base_url or "none; set one",
        _codes(provider.env_keys) or ("no variable" if provider.needs_key else "needs none"),
        _codes((*provider.env_base_urls, *provider.env_key_base_urls)) or "`UPSTREAM_PROVIDER_BASE_URLS`",
        _codes(provider.prefixes),
        str(provider.priority),
    )


def _consequence(row: cooldown.Row) -> tuple[str, ...]:
    return f"`{row.kind}`", _who(row), _length(row), _opens(row), _move(row), row.why


def _who(row: cooldown.Row) -> str:
    return f"{row.rests}, then the provider's address" if row.spreads else row.rests


def _length(row: cooldown.Row) -> str:
    if row.rests == "nobody":
        return "–"
    length = f"{row.lasts:g} s" if row.lasts else "the default" if row.at_most is None else f"at most {row.at_most:g} s"
    strength = "soft" if row.is_soft else "hard, soft for one model" if row.is_soft_for_model else "hard"
    return f"{length}{', grows' if row.grows else ''}, {strength}"


def _opens(row: cooldown.Row) -> str:
    if row.opens_after is None:
        return "never"
    return f"after {row.opens_after}, for {row.opens_for:g} s" if row.opens_for else "after `PROXY_BREAKER_FAILURES`"


def _move(row: cooldown.Row) -> str:
    return f"{MOVES[row.move]}, and once more at the end" if row.again else MOVES[row.move]


def _statuses(row: failures.Row) -> str:
    if not row.statuses:
        return "any"
    numbers = sorted(status for status in row.statuses if status is not None)
    # Neighbours share their distance to their place in the list.
    runs = [[number for _, number in run] for _, run in groupby(enumerate(numbers), key=lambda pair: pair[1] - pair[0])]
    words = [f"{run[0]}–{run[-1]}" if len(run) > 2 else ", ".join(map(str, run)) for run in runs]
    return ", ".join([*words, *(["in a 200"] if None in row.statuses else [])])


def _evidence(row: failures.Row) -> str:
    if row.codes:
        return f"a code such as `{min(row.codes)}`" + (", or words" if row.words else "")
    return "words" if row.words else "–"


def _codes(names: Iterable[str]) -> str:
    return ", ".join(f"`{name}`" for name in names)


def _table(head: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> str:
    lines = [head, tuple("---" for _ in head), *rows]
    return "".join(f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in line)} |\n" for line in lines)
