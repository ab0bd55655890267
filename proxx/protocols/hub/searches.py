"""What a hosted search asked and found, told as text to a vendor that has not made it (D170)."""

from proxx.protocols.hub.parts import Hosted


def as_text(part: Hosted) -> str:
    """Return the query and the findings, one to a line; empty if nothing of it can be told."""
    findings = [f"- {hit.title}: {hit.url}" if hit.title else f"- {hit.url}" for hit in part.hits if hit.url]
    if not part.query and not findings:
        return ""
    head = f"[{part.kind}: {part.query}]" if part.query else f"[{part.kind}]"
    return "\n".join([head, *findings])
