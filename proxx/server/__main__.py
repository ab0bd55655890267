"""`python -m proxx.server`: check, prepare, listen. The lightest possible process that serves; no Celery in it.

A refusal to start is one sentence on stderr and exit code 2.
"""

import os
import socket
import sys
from collections.abc import Callable
from functools import partial
from typing import Any

REFUSED = 2
INTERRUPTED = 130


def main() -> int:
    """Start and serve; return the exit code."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "proxx.settings.prod")
    from django.core.exceptions import ImproperlyConfigured

    from proxx.server.checks import CannotStart

    try:
        serve = _prepare()
        return serve()
    except (ImproperlyConfigured, CannotStart) as fault:
        _say(f"proxx cannot start: {' '.join(str(fault).split())}")
        return REFUSED
    except KeyboardInterrupt:
        return INTERRUPTED


def _prepare() -> Callable[[], int]:
    """Check everything, import everything, build the first snapshot; return what serves."""
    import django
    from django.conf import settings

    from proxx.server import checks, listening
    from proxx.server.calm import calm_down

    checks.check_settings(settings)
    _prefer_uvloop()  # before Django: its app `daphne` installs the reactor
    django.setup()
    checks.check_data()
    for warning in (*checks.warnings(settings), *checks.data_warnings()):
        _say(f"warning: {warning}")
    listener = listening.bind(settings.PROXY_HOST, settings.PROXY_PORT)
    listening.allow_many_files()
    application = _application(settings.ASGI_APPLICATION)
    more = _more_ports(settings.PROXY_HOST, listener)
    serve = _server(settings.PROXX_SERVER, settings.PROXX_DATA_PLANE)
    _begin_traffic_log()
    calm_down()
    return lambda: serve(application, listener, _begin_background_work, more=more)


def _more_ports(host: str, listener: socket.socket) -> list[socket.socket]:
    """Open the ports that the console's listeners ask for. One that is not to be had is told and left out: a row in the
    console must not keep the gateway from starting."""
    from proxx.server import listening
    from proxx.server.checks import CannotStart
    from proxx.upstream import client
    from routing import ports, reload

    own = listener.getsockname()[1]
    opened = []
    for port in sorted(reload.current().ports.keys() - {own}):
        try:
            opened.append(listening.bind(host, port))
        except CannotStart as fault:
            _say(f"warning: {fault} The listener {reload.current().ports[port].name!r} is left out.")
    opened += _callback_port({own, *(one.getsockname()[1] for one in opened)})
    all_of_them = [own, *(one.getsockname()[1] for one in opened)]
    ports.note(all_of_them)
    client.note_own_ports(all_of_them)
    return opened


def _callback_port(taken: set[int]) -> list[socket.socket]:
    """Open the port that providers send browsers back to after a sign-in, on this machine alone, if that is wished.
    Where it is not to be had, people paste the address."""
    from django.conf import settings

    from proxx.server import listening
    from proxx.server.checks import CannotStart

    port = settings.OPENAI_OAUTH_CALLBACK_PORT
    if not settings.PROXY_OAUTH_CALLBACK_LISTENER or port in taken:
        return []
    try:
        return [listening.bind("127.0.0.1", port)]
    except CannotStart as fault:
        _say(f"warning: {fault} Sign-ins at providers are finished by pasting the address.")
        return []


def _server(name: str, plane: str) -> Callable[..., int]:
    if name == "uvicorn":
        from proxx.server import uvicorn_server

        return partial(uvicorn_server.serve, plane)
    from proxx.server import daphne_server

    return partial(daphne_server.serve, plane)


def _application(path: str) -> Any:
    from django.db import connections
    from django.utils.module_loading import import_string

    from accounts import limits
    from routing import health_sharing, reload

    application = import_string(path)
    limits.begin()
    reload.current()  # the first picture of the configuration: no request has to wait for it
    health_sharing.load()
    connections.close_all()
    return application


def _begin_traffic_log() -> None:
    """Write what is said into a file, if that is wished, and say so to whoever starts the server."""
    from django.conf import settings

    from analytics.traffic_log import writer
    from analytics.traffic_log.file import NotOurs
    from proxx.server.checks import CannotStart

    try:
        said = writer.start(settings)
    except NotOurs as fault:
        raise CannotStart(str(fault)) from None
    if said:
        _say(f"warning: {said}")


def _begin_background_work() -> None:
    """Start what runs beside the requests: following the configuration, asking for models, writing the records."""
    from django.conf import settings

    from analytics import queue, traces
    from oauth import following
    from routing import affinity, health_sharing, list_watch, quota_share, reload

    reload.start_watching()
    following.start_watching()
    affinity.start_sharing()
    quota_share.start_sharing()
    health_sharing.start_sharing()
    if settings.PROXY_LIST_WATCH:
        list_watch.start_watching()
    queue.start()
    traces.start(settings)


def _prefer_uvloop() -> None:
    """Run the reactor on uvloop where it is installed."""
    import asyncio

    try:
        import uvloop
    except ImportError:
        return
    asyncio.set_event_loop_policy(uvloop.EventLoopPolicy())


def _say(line: str) -> None:
    sys.stderr.write(f"{line}\n")
    sys.stderr.flush()


if __name__ == "__main__":
    code = main()
    from proxx.server.drain import leave

    leave(code)
