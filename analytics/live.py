"""One live summary per batch, by tenant, for the console's pages of traffic, over the Channels group "traffic": how
many calls were stored, and the ids of the newest.

Best effort, and never the batch's trouble: a layer that is slow or away is left alone for a while. Who may listen
is consumers.py's.
"""

import asyncio
import logging
from collections.abc import Sequence
from typing import Any

from channels.layers import get_channel_layer

from analytics.record import UsageRecord
from proxx.kit import clock

logger = logging.getLogger(__name__)

GROUP = "traffic"
MOST_NAMED = 25  # calls of one tenant and batch: nobody reads more of them as they pass
PATIENCE = 0.25  # seconds for one message
REST = 10.0  # seconds in which a layer that failed is not asked again

_resting_until = 0.0


async def publish(records: Sequence[UsageRecord]) -> None:
    """Tell whoever listens what has just been stored; swallow every fault of the layer."""
    global _resting_until
    layer = get_channel_layer()
    if layer is None or clock.monotonic() < _resting_until:
        return
    message = {"type": "traffic.batch", **_told(records)}
    try:
        async with asyncio.timeout(PATIENCE):
            await layer.group_send(GROUP, message)
    except Exception:  # whatever a layer's client raises, the records are safe already
        _resting_until = clock.monotonic() + REST
        logger.warning("Live traffic is not shown for a while: the channel layer does not answer.", exc_info=True)


def _told(records: Sequence[UsageRecord]) -> dict[str, dict[str, Any]]:
    by_tenant: dict[int, list[UsageRecord]] = {}  # by number: an id takes long to look up by, and longer to write
    for record in records:
        by_tenant.setdefault(record.tenant_id.int, []).append(record)
    groups = {str(group[0].tenant_id): group for group in by_tenant.values()}
    return {
        "counts": {tenant: len(group) for tenant, group in groups.items()},
        "ids": {tenant: [str(record.id) for record in group[-MOST_NAMED:]] for tenant, group in groups.items()},
    }
