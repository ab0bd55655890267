"""The fast data plane: asyncio lines on the reactor's loop; WebSockets go to Daphne."""

import asyncio
import socket
from collections.abc import Callable
from typing import TYPE_CHECKING

from proxx.server import refusals, sockets
from proxx.server.heads import Head
from proxx.server.line import Line
from proxx.server.listening import BACKLOG

if TYPE_CHECKING:
    from proxx.server.daphne_server import Server


async def listen(server: "Server", listener: socket.socket) -> Callable[[], None]:
    """Begin to accept connections; return what ends that."""
    loop = asyncio.get_running_loop()
    connections, application = server.proxx_connections, server.application

    def hand_over(line: Line, head: Head) -> None:
        if line.transport.get_write_buffer_size() or connections.closing:
            line.refuse(refusals.STOPPING)
        else:
            sockets.adopt(server.ws_factory, line.transport, head, line.intake.rest())

    accepting = await loop.create_server(
        lambda: Line(application, connections, loop, hand_over), sock=listener, backlog=BACKLOG
    )
    return accepting.close
