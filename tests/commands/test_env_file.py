"""The .env of a first start, and that nothing written is ever changed."""

import base64
import stat

from proxx import env_file

NAMES = ["SECRET_KEY", "PROXY_TOKEN_PEPPER", "PROXY_ENCRYPTION_KEYS"]


def test_a_first_start_writes_fresh_secrets_for_the_owner_only(tmp_path):
    file = tmp_path / "new" / ".env"
    assert env_file.complete(file, {}) == NAMES
    values = env_file.read(file)
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert len(base64.b64decode(values["PROXY_ENCRYPTION_KEYS"])) == 32
    assert min(len(value) for value in values.values()) >= 40
    assert len(set(values.values())) == 3


def test_two_files_share_no_secret(tmp_path):
    for name in "ab":
        env_file.complete(tmp_path / name, {})
    assert not set(env_file.read(tmp_path / "a").values()) & set(env_file.read(tmp_path / "b").values())


def test_fresh_secrets_are_made_without_writing_them_and_written_as_they_are(tmp_path):
    file = tmp_path / ".env"
    made = env_file.fresh(file, {})
    assert list(made) == NAMES
    assert not file.exists()
    env_file.append(file, made)
    assert env_file.read(file) == made


def test_a_second_start_changes_no_byte(tmp_path):
    file = tmp_path / ".env"
    env_file.complete(file, {})
    before = file.read_bytes()
    assert env_file.complete(file, {}) == []
    assert file.read_bytes() == before


def test_what_stands_in_the_file_stays_and_the_rest_goes_to_the_end(tmp_path):
    file = tmp_path / ".env"
    written = "# mine\nexport SECRET_KEY='chosen by me'\nOPENAI_API_KEY=\nPROXY_TOKEN_PEPPER =\nPROXY_PORT=9000"
    file.write_text(written)
    file.chmod(0o644)
    assert env_file.complete(file, {}) == ["PROXY_ENCRYPTION_KEYS"]
    assert file.read_text().startswith(written + "\n")
    assert env_file.read(file)["SECRET_KEY"] == "chosen by me"
    assert env_file.read(file)["PROXY_PORT"] == "9000"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600


def test_a_secret_of_the_environment_or_of_a_file_is_not_written_again(tmp_path):
    environment = {"SESSION_SECRET": "x", "PROXY_TOKEN_PEPPER_FILE": "/run/secrets/pepper"}
    assert env_file.complete(tmp_path / ".env", environment) == ["PROXY_ENCRYPTION_KEYS"]


def test_a_complete_environment_leaves_no_file_behind(tmp_path):
    assert env_file.complete(tmp_path / ".env", dict.fromkeys(NAMES, "given")) == []
    assert not (tmp_path / ".env").exists()


def test_another_file_may_be_named(tmp_path):
    assert env_file.path({"PROXX_ENV_FILE": str(tmp_path / "other")}) == tmp_path / "other"
    assert env_file.path({}).name == ".env"


def test_further_names_can_be_asked_for(tmp_path):
    added = env_file.complete(tmp_path / ".env", {"SECRET_KEY": "given"}, ["POSTGRES_PASSWORD"])
    assert added == ["PROXY_TOKEN_PEPPER", "PROXY_ENCRYPTION_KEYS", "POSTGRES_PASSWORD"]
    assert len(env_file.read(tmp_path / ".env")["POSTGRES_PASSWORD"]) >= 40
