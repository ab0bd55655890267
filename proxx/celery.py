"""The Celery app and the table of periodic jobs, all of them.

Tasks take ids, are safe to repeat and hold no logic: the functions they call live in their rooms. Without Redis the
broker is a folder under the data directory, made for one machine; a task of a killed worker is gone then, so only
what the clock repeats is ever sent (docs/decisions/0004). Stop Celery and serving continues.
"""

import os
from datetime import timedelta
from pathlib import Path
from typing import Any

from celery import Celery, Task
from celery.signals import beat_init
from django.conf import settings

from accounts.acting import Actor, ActorKind, acting_as

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "proxx.settings.prod")


class Job(Task):
    """A task whose changes are told as its own."""

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Run it as the job it is."""
        with acting_as(Actor(ActorKind.JOB, name=self.name)):
            return super().__call__(*args, **kwargs)


app = Celery("proxx", task_cls=Job)

MINUTE = timedelta(minutes=1)
# The task, how often, and whether also once as soon as the clock starts.
JOBS: tuple[tuple[str, timedelta, bool], ...] = (
    ("routing.tasks.refresh_catalogs", 10 * MINUTE, True),
    ("oauth.tasks.refresh_tokens", timedelta(seconds=settings.OAUTH_REFRESH_BACKGROUND_INTERVAL), True),
    ("routing.tasks.refresh_quota", 20 * MINUTE, True),
    ("routing.tasks.fetch_prices", 1440 * MINUTE, True),
    ("analytics.tasks.rollup", MINUTE, True),
    ("analytics.tasks.partitions", 60 * MINUTE, True),
    ("analytics.tasks.alerts", MINUTE, False),
    ("analytics.tasks.retention", 60 * MINUTE, False),
)


def folder_broker(data: Path) -> dict[str, Any]:
    """Return the settings of a broker that is two folders, made for their owner only if they are not there."""
    messages, control = data / "messages", data / "control"
    for folder in (messages, control):
        folder.mkdir(exist_ok=True, mode=0o700)
    return {
        "broker_url": "filesystem://localhost",
        "broker_transport_options": {
            "data_folder_in": str(messages),
            "data_folder_out": str(messages),
            "control_folder": str(control),
        },
    }


def redis_broker(url: str, prefix: str) -> dict[str, Any]:
    """Return the settings of a Redis broker; of TLS the address itself says how (settings/base.py)."""
    return {
        "broker_url": url,
        "broker_transport_options": {
            "global_keyprefix": f"{prefix}:",
            "socket_timeout": 30,
            "socket_connect_timeout": 5,
            "visibility_timeout": 3600,
        },
    }


def schedule() -> dict[str, dict[str, Any]]:
    """Return the clock's table; a job that nobody took before its next turn expires, so none pile up."""
    return {
        task: {"task": task, "schedule": every, "options": {"expires": every.total_seconds()}}
        for task, every, _ in JOBS
    }


@beat_init.connect
def send_first_jobs(**_: object) -> None:
    """Send what should also happen at once when the clock starts; sending waits for nobody."""
    for task, every, at_start in JOBS:
        if at_start:
            app.send_task(task, expires=every.total_seconds())


DATA = Path(settings.PROXY_DATA_DIR) / "celery"
DATA.mkdir(parents=True, exist_ok=True, mode=0o700)

app.conf.update(
    **(redis_broker(settings.REDIS_URL, settings.REDIS_PREFIX) if settings.REDIS_URL else folder_broker(DATA)),
    beat_schedule=schedule(),
    beat_schedule_filename=str(DATA / "clock"),
    broker_connection_retry_on_startup=True,
    accept_content=["json"],
    task_serializer="json",
    result_backend=None,
    task_ignore_result=True,
    task_acks_late=True,
    worker_prefetch_multiplier=1,
    worker_enable_remote_control=False,
    worker_hijack_root_logger=False,
    worker_redirect_stdouts=False,
    timezone="UTC",
    enable_utc=True,
)
app.autodiscover_tasks()
