"""Run the simulated provider by itself: `python -m tests.upstreams --port 9000`."""

import argparse
import asyncio
import signal

from tests.upstreams.server import SimulatedProvider


async def serve(host: str, port: int) -> None:
    """Serve until a signal comes."""
    stop = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    async with SimulatedProvider(host=host, port=port) as provider:
        print(f"Simulated provider: {provider.base_url} (key sk-sim-1, help at {provider.origin}/sim/help)", flush=True)
        await stop.wait()


def main() -> None:
    """Read the arguments and serve."""
    parser = argparse.ArgumentParser(prog="python -m tests.upstreams", description=__doc__)
    parser.add_argument("--host", default="127.0.0.1", help="loopback unless you know why")
    parser.add_argument("--port", type=int, default=0, help="0: any free port, printed")
    arguments = parser.parse_args()
    asyncio.run(serve(arguments.host, arguments.port))


if __name__ == "__main__":
    main()
