"""`python -m tests.server.launch daphne-fast`, or another of conftest.KINDS: a server around the test application."""

import asyncio
import importlib
import importlib.util
import os
import sys


def main(kind):
    os.environ["DJANGO_SETTINGS_MODULE"] = "tests.server.settings"
    if importlib.util.find_spec("uvloop") and "PLAIN_ASYNCIO" not in os.environ:
        import uvloop

        asyncio.set_event_loop_policy(uvloop.EventLoopPolicy())
    import django

    django.setup()
    from proxx.server import listening
    from tests.server.application import application

    listener = listening.bind("127.0.0.1", 0)
    server, _, plane = kind.partition("-")
    serve = importlib.import_module(f"proxx.server.{server}_server").serve
    return serve(plane, application, listener, lambda: None)


if __name__ == "__main__":
    from proxx.server.drain import leave

    leave(main(sys.argv[1]))
