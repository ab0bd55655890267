"""Facts of a model as the console shows them: in words and small signs, each with its meaning as a tooltip."""

from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from routing.capabilities import Facts
from routing.pricing import NANO, Price

NOTHING_KNOWN = "–"
# Member of Facts -> sign (Material Symbols) and words.
READS = {
    "images": ("image", "reads pictures"),
    "pdf": ("picture_as_pdf", "reads PDFs"),
    "audio": ("mic", "hears audio"),
    "video": ("videocam", "watches video"),
}
DOES = {
    "tools": ("build", "calls tools"),
    "schema": ("data_object", "keeps to a schema"),
    "reasoning": ("neurology", "reasons"),
}
SOURCES = {
    "console": "your price",
    "provider": "its own list",
    "list": "price list",
    "maker": "the maker's price",
    "local": "own machine",
}


def able(facts: Facts) -> SafeString | str:
    """Return a sign for each thing the model is known to read or do; a dash if nothing at all is known."""
    both = {**READS, **DOES}
    known = [name for name in both if getattr(facts, name) is not None]
    if not known:
        return NOTHING_KNOWN
    signs = format_html_join(
        "",
        '<span class="material-symbols-outlined" role="img" title="{}" aria-label="{}">{}</span>',
        ((words, words, sign) for name, (sign, words) in both.items() if getattr(facts, name)),
    )
    return format_html('<span class="px-signs">{}</span>', signs) if signs else "text only"


def size(facts: Facts) -> list[str]:
    """Return the context window above the longest answer."""
    below = "" if facts.max_output is None else f"{tokens(facts.max_output)} out"
    return [tokens(facts.context_window), below]


def price(one: Price | None) -> list[str]:
    """Return input and output in dollars per million tokens above where the price comes from."""
    if one is None:
        return ["unpriced", ""]
    if not one.input and not one.output:
        return ["free", SOURCES.get(one.source, "")]
    head = " / ".join(dollars(rate) for rate in (one.input, one.output))
    more = [SOURCES.get(one.source, "")]
    if one.cache_read is not None:
        more.append(f"cached {dollars(one.cache_read)}")
    if one.tiers:
        more.append(f"more above {tokens(one.tiers[0].above)}")
    return [head, ", ".join(filter(None, more))]


def dollars(rate: int | None) -> str:
    """Return a rate as people write it: $2.50, $0.075."""
    if rate is None:
        return "?"
    whole, _, part = f"{rate / NANO:,.6f}".rstrip("0").partition(".")
    return f"${whole}" if not part else f"${whole}.{part:0<2}"


def tokens(count: int | None) -> str:
    """Return a number of tokens, with its thousands set apart."""
    return NOTHING_KNOWN if count is None else f"{count:,}"


def words(facts: Facts) -> str:
    """Return what an operator's row says, as a line of words."""
    said = [
        text if getattr(facts, name) else f"not: {text}"
        for name, (_, text) in {**READS, **DOES}.items()
        if getattr(facts, name) is not None
    ]
    if facts.context_window:
        said.append(f"{tokens(facts.context_window)} tokens of context")
    if facts.max_output:
        said.append(f"answers up to {tokens(facts.max_output)}")
    return ", ".join(said)
