"""`python -m tests.server.launch daphne-fast|daphne-stock|uvicorn`: one of our servers around the test application."""

import asyncio
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
    if kind == "uvicorn":
        from proxx.server import uvicorn_server

        return uvicorn_server.serve(application, listener, lambda: None)
    from proxx.server import daphne_server

    return daphne_server.serve(kind.removeprefix("daphne-"), application, listener, lambda: None)


if __name__ == "__main__":
    from proxx.server.drain import leave

    leave(main(sys.argv[1]))
