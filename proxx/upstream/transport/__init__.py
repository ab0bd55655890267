"""Our own HTTP/1.1 transport: an asyncio.Protocol on httptools (llhttp in C), keep-alive pools, httpx's vocabulary.

The way of one exchange: transport.py takes a connection from pool.py, or has dial.py open one; head.py writes the
request; connection.py moves bytes and watches the clock; exchange.py reads the answer and is its body. Why not a ready
client: docs/decisions/0003-upstream-transport.md. Not here: redirects, cookies, content decoding, HTTP/2, proxies.
"""

from proxx.upstream.transport.transport import Transport

__all__ = ["Transport"]
