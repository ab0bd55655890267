"""The table of periodic jobs: every name is a task, nothing piles up, and what travels is JSON."""

import json
import os
import stat
from datetime import timedelta

import pytest
from celery import signals
from django.conf import settings as configured

from proxx import celery as jobs


@pytest.fixture
def folder(tmp_path):
    """A folder broker of its own in place of the configured one."""
    return jobs.folder_broker(tmp_path)


@pytest.fixture
def sent(monkeypatch):
    """What would be sent, instead of sending it."""
    calls = []
    monkeypatch.setattr(jobs.app, "send_task", lambda name, **options: calls.append((name, options)))
    return calls


def test_every_job_of_the_table_is_a_task_that_some_room_has():
    jobs.app.loader.import_default_modules()
    assert {name for name, _, _ in jobs.JOBS} <= set(jobs.app.tasks)


def test_every_task_of_the_house_is_in_the_table():
    jobs.app.loader.import_default_modules()
    ours = {name for name in jobs.app.tasks if not name.startswith("celery.")}
    assert ours == {name for name, _, _ in jobs.JOBS}


def test_a_job_that_nobody_took_expires_before_its_next_turn():
    for name, entry in jobs.schedule().items():
        every = entry["schedule"]
        assert every >= timedelta(seconds=15), name
        assert entry["options"]["expires"] <= every.total_seconds()
        assert "args" not in entry


def test_the_clocks_start_sends_what_should_happen_at_once(sent):
    signals.beat_init.send(sender=None)
    assert [name for name, _ in sent] == [name for name, _, at_start in jobs.JOBS if at_start]
    assert "routing.tasks.refresh_catalogs" in dict(sent)
    assert all(options["expires"] > 0 for _, options in sent)


def test_only_json_travels_and_no_result_is_kept():
    settings = jobs.app.conf
    assert settings.task_serializer == "json"
    assert settings.accept_content == ["json"]
    assert settings.result_backend is None
    assert settings.timezone == "UTC"


def test_the_folders_of_the_broker_are_their_owners_only(folder, tmp_path):
    made = [path for path in tmp_path.iterdir() if path.is_dir()]
    assert sorted(path.name for path in made) == ["control", "messages"]
    assert all(stat.S_IMODE(path.stat().st_mode) == 0o700 for path in made)
    assert folder["broker_transport_options"]["control_folder"] == str(tmp_path / "control")


def test_a_message_in_the_folder_is_readable_json_without_arguments(folder, tmp_path):
    with jobs.app.connection_for_write(
        folder["broker_url"], transport_options=folder["broker_transport_options"]
    ) as door:
        jobs.app.send_task("analytics.tasks.rollup", connection=door)
    (message,) = (tmp_path / "messages").iterdir()
    envelope = json.loads(message.read_text())
    assert envelope["content-type"] == "application/json"
    assert envelope["headers"]["task"] == "analytics.tasks.rollup"
    assert envelope["headers"]["argsrepr"] == "()"


def test_without_redis_the_configured_broker_is_a_folder_under_the_data_directory():
    if configured.REDIS_URL:
        pytest.skip("REDIS_URL is set")
    assert jobs.app.conf.broker_url.startswith("filesystem://")
    inside = jobs.app.conf.broker_transport_options["data_folder_in"]
    assert os.path.commonpath([inside, configured.PROXY_DATA_DIR]) == configured.PROXY_DATA_DIR
    assert jobs.app.conf.beat_schedule_filename.startswith(configured.PROXY_DATA_DIR)


def test_a_redis_address_is_used_as_it_is():
    broker = jobs.redis_broker("rediss://:secret@cache.example:6379/1?ssl_cert_reqs=required", "proxx")
    assert broker["broker_url"].endswith("ssl_cert_reqs=required")
    assert broker["broker_transport_options"]["socket_connect_timeout"] <= 5
    assert broker["broker_transport_options"]["global_keyprefix"] == "proxx:"
