"""Facts of a model as the console shows them: in words and small signs, each with its meaning as a tooltip."""

from decimal import Decimal

from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from routing.capabilities import Facts
from routing.pricing import NANO, Price

NOTHING_KNOWN = "–"
# Member of Facts -> sign (Material Symbols), words if it can, words if it cannot.
ABILITIES = {
    "images": ("image", "reads pictures", "no pictures"),
    "pdf": ("picture_as_pdf", "reads PDFs", "no PDFs"),
    "audio": ("mic", "hears audio", "no audio"),
    "video": ("videocam", "watches video", "no video"),
    "tools": ("build", "calls tools", "no tools"),
    "schema": ("data_object", "keeps to a schema", "no schema"),
    "reasoning": ("neurology", "reasons", "no reasoning"),
}
SOURCES = {
    "console": "your price",
    "provider": "its own list",
    "list": "price list",
    "maker": "the maker's price",
    "local": "own machine",
}


READS = ("images", "pdf", "audio", "video")


def able(facts: Facts) -> SafeString | str:
    """Return a sign for each thing the model is known to read or do; if there is none, what it is known to lack; a dash
    if nothing at all is known. "Text only" is said where all else is known to be beyond it."""
    if all(getattr(facts, name) is None for name in ABILITIES):
        return NOTHING_KNOWN
    signs = format_html_join(
        "",
        '<span class="material-symbols-outlined" role="img" title="{}" aria-label="{}">{}</span>',
        ((can, can, sign) for name, (sign, can, _) in ABILITIES.items() if getattr(facts, name)),
    )
    if signs:
        return format_html('<span class="px-signs">{}</span>', signs)
    lacking = [name for name in ABILITIES if getattr(facts, name) is False]
    only_text = all(name in lacking for name in READS)
    said = ["text only"] if only_text else []
    return ", ".join(said + [ABILITIES[name][2] for name in lacking if not (only_text and name in READS)])


def size(facts: Facts) -> list[str]:
    """Return the context window above the longest answer."""
    below = "" if facts.max_output is None else f"{tokens(facts.max_output)}\N{NO-BREAK SPACE}out"
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
    whole, _, part = f"{Decimal(rate) / NANO:,.9f}".rstrip("0").partition(".")
    return f"${whole}" if not part else f"${whole}.{part:0<2}"


def tokens(count: int | None) -> str:
    """Return a number of tokens, with its thousands set apart."""
    return NOTHING_KNOWN if count is None else f"{count:,}"


def words(facts: Facts) -> str:
    """Return what an operator's row says, as a line of words."""
    said = [
        can if able else cannot
        for name, (_, can, cannot) in ABILITIES.items()
        if (able := getattr(facts, name)) is not None
    ]
    if facts.context_window:
        said.append(f"{tokens(facts.context_window)} tokens of context")
    if facts.max_output:
        said.append(f"answers up to {tokens(facts.max_output)}")
    return ", ".join(said)
