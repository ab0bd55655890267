"""A subscription as its provider counts it: windows that calls use up, a workspace, reset credits. The truth that what
proxx believes is held against.

A window begins with the first call in it and ends its length later; what is asked beyond its size is refused. Reviews
of code have a window of their own, which calls do not touch. Imports nothing of ours.
"""

import math
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from tests.upstreams.answer import Refusal

HOUR, WEEK = 3600.0, 7 * 86400.0
FIVE_HOURS = 5 * HOUR


@dataclass
class PlanWindow:
    """So many calls in so many seconds, from the first one on."""

    seconds: float
    size: int
    used: int = 0
    ends: float | None = None

    def roll(self, now: float) -> None:
        """Begin anew if it is over."""
        if self.ends is not None and now >= self.ends:
            self.used, self.ends = 0, None

    @property
    def percent(self) -> int:
        """How much is used, in whole percent as the provider says it."""
        return min(100, math.floor(100 * self.used / self.size))

    @property
    def is_full(self) -> bool:
        """Whether the next call is refused."""
        return self.used >= self.size

    def said(self, now: float) -> dict[str, Any]:
        """Return what `wham/usage` says of it."""
        ends = self.ends if self.ends is not None else now + self.seconds
        return {
            "used_percent": self.percent,
            "limit_window_seconds": int(self.seconds),
            "reset_after_seconds": math.ceil(ends - now),
            "reset_at": math.ceil(ends),
        }


@dataclass
class Plan:
    """One account: windows by their place (primary, secondary), and what became of calls."""

    windows: list[PlanWindow]
    kind: str = "plus"
    review: PlanWindow | None = None
    credits: int = 0
    gone_workspace: str = ""  # asked with this workspace, it refuses
    now: Callable[[], float] = time.time
    is_quiet: bool = False  # its answers say nothing of windows: that it is at its limit comes as a surprise
    served: int = 0
    refused: int = 0
    redeemed: set[str] = field(default_factory=set)

    def take(self) -> Refusal | None:
        """Count a call, or return the refusal."""
        now = self._rolled()
        full = [one for one in self.windows if one.is_full]
        if full:
            self.refused += 1
            return Refusal(429, {"error": self._spent(full, now)}, tuple(self.headers()))
        for one in self.windows:
            one.ends = one.ends if one.ends is not None else now + one.seconds
            one.used += 1
        self.served += 1
        return None

    @property
    def free_at(self) -> float | None:
        """The moment from which calls are taken again; nothing if they are."""
        self._rolled()
        return max((one.ends or 0.0 for one in self.windows if one.is_full), default=None)

    def headers(self) -> list[tuple[str, str]]:
        """Return what every answer says."""
        now = self._rolled()
        found = [("x-codex-plan-type", self.kind), ("x-codex-active-limit", "codex")]
        for place, one in zip(("primary", "secondary"), self.windows if not self.is_quiet else (), strict=False):
            said = one.said(now)
            found.append((f"x-codex-{place}-used-percent", str(said["used_percent"])))
            found.append((f"x-codex-{place}-window-minutes", str(said["limit_window_seconds"] // 60)))
            found.append((f"x-codex-{place}-reset-at", str(said["reset_at"])))
        return found

    def usage(self) -> dict[str, Any]:
        """Return what is said when it is asked for."""
        now = self._rolled()
        names = ("primary_window", "secondary_window")
        windows = {name: one.said(now) for name, one in zip(names, self.windows, strict=False)}
        full = any(one.is_full for one in self.windows)
        said: dict[str, Any] = {
            "plan_type": self.kind,
            "rate_limit": {"allowed": not full, "limit_reached": full, **dict.fromkeys(names), **windows},
            "code_review_rate_limit": None,
        }
        if self.review is not None:
            self.review.roll(now)
            said["code_review_rate_limit"] = {
                "allowed": True,
                "limit_reached": self.review.is_full,
                "primary_window": self.review.said(now),
                "secondary_window": None,
            }
        return said

    def redeem(self, name: str) -> bool:
        """Use a credit under a name, once however often it is sent: used-up windows begin anew."""
        if name in self.redeemed:
            return True
        if not self.credits:
            return False
        self.credits -= 1
        self.redeemed.add(name)
        for one in self.windows:
            if one.is_full:
                one.used, one.ends = 0, None
        return True

    def _rolled(self) -> float:
        now = self.now()
        for one in self.windows:
            one.roll(now)
        return now

    def _spent(self, full: list[PlanWindow], now: float) -> dict[str, Any]:
        ends = max(one.ends or now for one in full)
        return {
            "type": "usage_limit_reached",
            "message": "The usage limit has been reached",
            "plan_type": self.kind,
            "resets_at": math.ceil(ends),
            "resets_in_seconds": math.ceil(ends - now),
        }
