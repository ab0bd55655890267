"""Who an account is, as its tokens say it (nobody has checked their signatures: they come from the issuer itself).

who = identity_of(sign_in, tokens)
name = storage_id(sign_in, who)          # Credential.account_id
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

from oauth.providers import Path, Paths, SignIn
from oauth.tokens import Tokens

PLANS = ("free", "plus", "pro", "team", "business", "enterprise")
LONGEST = {"subject": 200, "email": 254, "workspace": 200, "plan": 64}


@dataclass(frozen=True, slots=True)
class Identity:
    """What is known of an account; empty texts are unknown. The e-mail address is in lower case."""

    subject: str = ""
    email: str = ""
    workspace: str = ""
    plan: str = ""

    def is_same(self, subject: str, email: str, workspace: str) -> bool:
        """Tell whether that is the same person here: by subject, else by e-mail, else, of one that has neither, by
        its workspace."""
        if subject and self.subject:
            return subject == self.subject
        if email and self.email:
            return email.lower() == self.email
        return not subject and not email and bool(workspace) and workspace == self.workspace


def identity_of(sign_in: SignIn, tokens: Tokens) -> Identity:
    """Return what the answer and the tokens in it say of whom they belong to."""
    return Identity(
        subject=_found(sign_in.subject, tokens)[: LONGEST["subject"]],
        email=_found(sign_in.email, tokens).lower()[: LONGEST["email"]],
        workspace=_found(sign_in.workspace, tokens)[: LONGEST["workspace"]],
        plan=_found(sign_in.plan, tokens).lower()[: LONGEST["plan"]],
    )


def storage_id(sign_in: SignIn, who: Identity) -> str:
    """Return the name under which an account is kept, so that several people of one workspace stand side by side."""
    person = f"sub:{who.subject}" if who.subject else f"email:{who.email}" if who.email else ""
    if sign_in.named_by == "workspace" and who.workspace:
        if not person:
            return who.workspace
        digest = hashlib.sha256(f"{who.workspace}\0{person}".encode()).hexdigest()[:12]
        return f"{who.workspace[:180]}-{digest}"
    if who.subject:
        return f"{sign_in.name}-{who.subject}"[:200]
    if who.email:
        return f"{sign_in.name}-{hashlib.sha256(who.email.encode()).hexdigest()[:24]}"
    return f"{sign_in.name}-{uuid4()}"


def _found(paths: Paths, tokens: Tokens) -> str:
    for path in paths.answer:
        if said := _at(tokens.said, path):
            return said
    for claims in tokens.claims():
        for path in paths.claims:
            if said := _at(claims, path):
                return said
    return ""


def _at(said: Mapping[str, Any], path: Path) -> str:
    here: Any = said
    for step in path:
        if isinstance(step, str) and isinstance(here, Mapping):
            here = here.get(step)
        elif isinstance(step, int) and isinstance(here, list) and len(here) > step:
            here = here[step]
        else:
            return ""
    # What cannot be shown names nobody: a name with marks that reorder text would be read as another's.
    return here.strip() if isinstance(here, str) and here.strip().isprintable() else ""
