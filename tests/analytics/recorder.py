"""A process that does nothing but record: `python -m tests.analytics.recorder COUNT`, for tests that kill it.

It offers COUNT records (0: without end) and says each id once `offer` has returned; then it waits until nothing is
waiting any more, says "done" and drains. Told "idle" it offers nothing and only replays what others left.
"""

import asyncio
import os
import sys
from pathlib import Path


async def main(count: int) -> None:
    """Offer, say, and end."""
    from analytics import queue
    from tests.analytics.records import record

    queue.start()
    offered = 0
    while offered < count or count == 0:
        for _ in range(7):
            call = record()
            queue.offer(call)
            offered += 1
            os.write(1, f"{call.id}\n".encode())
        await asyncio.sleep(0)
    await asyncio.sleep(0.05)
    journals = Path(os.environ["PROXY_DATA_DIR"]) / "journal"
    while queue.state().waiting or (count < 0 and any(journals.iterdir())):  # noqa: ASYNC110
        await asyncio.sleep(0.01)
    os.write(1, b"done\n")
    await queue.drain(10)


if __name__ == "__main__":
    import django

    django.setup()
    asyncio.run(main(int(sys.argv[1])))
