"""Media that an upstream cannot be given by their address: fetched before it is asked, if the operator wishes it.

Once per call, whoever is asked. What could not be fetched stays an address, and the upstream's writer refuses it; why
it could not is told to the log, never to the caller, who might be looking for something inside our network.
"""

import asyncio
import logging

from proxx.gateway import asking
from proxx.gateway.call import Call
from proxx.kit.configured import settings
from proxx.protocols import fetched, registry
from proxx.upstream.fetch import Medium, NotFetched, fetch
from routing.planner import Candidate

AT_MOST = 20  # media of one call
AT_ONCE = 4

log = logging.getLogger("proxx.gateway")


async def prepare(call: Call, candidate: Candidate) -> None:
    """Fetch what this candidate will need and has not been fetched yet."""
    if not settings.PROXY_FETCH_MEDIA or call.fetched is not None or candidate.protocol == call.dialect.name:
        return
    if candidate.protocol not in registry.PROTOCOLS or call.dialect.name not in registry.PROTOCOLS:
        return  # only conversations hold media by their addresses
    addresses = fetched.addresses(asking.read(call), asking.fetches(candidate))[:AT_MOST]
    if not addresses:
        return
    turn = asyncio.Semaphore(AT_ONCE)
    media = await asyncio.gather(*(_fetched(call, address, turn) for address in addresses))
    call.fetched, room = {}, settings.PROXY_BODY_LIMIT
    for address, medium in zip(addresses, media, strict=True):
        room -= len(medium.data) if medium is not None else 0
        if medium is not None and room >= 0:
            call.fetched[address] = (medium.data, medium.declared)


async def _fetched(call: Call, address: str, turn: asyncio.Semaphore) -> Medium | None:
    async with turn:
        try:
            medium = await fetch(address)
        except NotFetched as fault:
            log.info("call %s: a medium was not fetched: %s", call.id, fault)
            return None
    return medium if fetched.is_medium(medium.data) else None
