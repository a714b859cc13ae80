"""Settings: where values come from, what is wrong with them, what is never shown."""

import os
from pathlib import Path

import pytest

from sirena.domain.errors import UsageError
from sirena.server.checks.settings_check import (
    SettingSource,
    meanings_of_settings,
    problems,
    require_plain_paths,
    settings_in_force,
)
from sirena.settings.catalogue import Settings, SettingsError, load_settings, variable_of
from tests.command_line import run_command


@pytest.fixture
def home() -> Path:
    """The home of this test."""
    folder = Path(os.environ["SIRENA_HOME"])
    folder.mkdir()
    return folder


@pytest.fixture(scope="module")
def meanings() -> dict[str, str]:
    """What each setting means."""
    return meanings_of_settings()


@pytest.mark.parametrize("name", sorted(Settings.model_fields))
def test_every_setting_has_meaning_and_example(name: str, meanings: dict[str, str]) -> None:
    """So that `sirena settings list` explains each."""
    assert meanings[name]
    assert Settings.model_fields[name].examples


def test_environment_wins_over_file_and_file_over_default(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """One set of names for both."""
    (home / "settings.env").write_text("SIRENA_SERVER_NAME=file.example\nSIRENA_RATE=7\n")
    monkeypatch.setenv("SIRENA_RATE", "9")
    settings = load_settings()
    assert (settings.server_name, settings.rate, settings.https_port) == ("file.example", 9, 443)
    sources = {item.variable: item.source for item in settings_in_force(settings)}
    assert sources["SIRENA_SERVER_NAME"] is SettingSource.FILE
    assert sources["SIRENA_RATE"] is SettingSource.ENVIRONMENT
    assert sources["SIRENA_HTTPS_PORT"] is SettingSource.DEFAULT


def test_a_wrong_value_names_the_variable_and_not_the_value(monkeypatch: pytest.MonkeyPatch) -> None:
    """It may be a secret in the wrong place."""
    monkeypatch.setenv("SIRENA_HTTPS_PORT", "hunter2")
    with pytest.raises(SettingsError, match="SIRENA_HTTPS_PORT") as caught:
        load_settings()
    assert "hunter2" not in caught.value.text


def test_a_repositorys_address_holds_no_password(monkeypatch: pytest.MonkeyPatch) -> None:
    """It stands in messages; a folder may have an @ in its name."""
    monkeypatch.setenv("SIRENA_BACKUP_REPOSITORY", "rest:https://ana:hunter2@backup.example/sirena")
    with pytest.raises(SettingsError, match="SIRENA_BACKUP_CREDENTIALS") as caught:
        load_settings()
    assert "hunter2" not in caught.value.text
    for place in ("/mnt/nas@2/sirena", "s3:https://backup.example/a@b"):
        monkeypatch.setenv("SIRENA_BACKUP_REPOSITORY", place)
        assert load_settings().backup_repository == place


def test_a_named_settings_file_must_exist(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A typing error must not mean the defaults."""
    monkeypatch.setenv("SIRENA_SETTINGS_FILE", str(tmp_path / "nowhere.env"))
    with pytest.raises(SettingsError, match="does not exist"):
        load_settings()


def test_names_nobody_reads_are_found_with_the_nearest_that_exists(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """In the environment and in the file."""
    monkeypatch.setenv("SIRENA_SERVERNAME", "x")
    (home / "settings.env").write_text("SIRENA_HTTP_PROT=80\n")
    found = problems(load_settings())
    assert any("SIRENA_SERVERNAME" in text and "SIRENA_SERVER_NAME is" in text for text in found)
    assert any("SIRENA_HTTP_PROT" in text and "SIRENA_HTTP_PORT is" in text for text in found)


def test_ports_used_twice_are_found_but_the_entrys_two_may_be_one() -> None:
    """443 alone may serve both."""
    twice = Settings(profile="production", mlflow_port=15432)
    assert any("15432" in text for text in problems(twice))
    assert not any("port" in text for text in problems(Settings(profile="production", port=443)))


@pytest.mark.parametrize(
    ("changes", "word"),
    [
        ({"tls": "files"}, "SIRENA_TLS_CERTIFICATE"),
        ({"tls": "letsencrypt"}, "SIRENA_SERVER_NAME"),
        ({"aws_access_key_id": "only"}, "AWS_SECRET_ACCESS_KEY"),
    ],
)
def test_combinations_that_cannot_work_are_found(changes: dict[str, str], word: str) -> None:
    """Before anything is started."""
    assert any(word in text for text in problems(Settings(profile="production", **changes)))  # type: ignore[arg-type]


@pytest.mark.parametrize("odd", ["sp ace", "semi;colon", 'quo"te', "dol$lar", "bra{ce", "per%cent", "li\nne", "ha#sh"])
def test_a_path_that_the_services_configuration_cannot_hold_is_named(odd: str) -> None:
    """By the check and by `up`, before anything is written; an embedded home may be called what it likes."""
    for name in ("home", "tls_certificate", "tls_key"):
        settings = Settings(profile="production", **{name: Path("/srv") / odd})  # type: ignore[arg-type]
        assert any(variable_of(name) in text for text in problems(settings))
        with pytest.raises(UsageError, match=variable_of(name)):
            require_plain_paths(settings)
    require_plain_paths(Settings(profile="embedded", home=Path("/srv") / odd))
    require_plain_paths(Settings(profile="production", home=Path("/srv/sirena-1.0_ñ/@a+b")))


@pytest.mark.parametrize(
    ("changes", "word"),
    [
        ({"oidc_client_id": "sirena"}, "without SIRENA_OIDC_ISSUER"),
        ({"oidc_issuer": "https://id.example"}, "needs SIRENA_OIDC_CLIENT_ID"),
        ({"oidc_issuer": "https://id.example"}, "needs SIRENA_OIDC_ROLES"),
        ({"oidc_issuer": "https://id.example", "oidc_scopes": "profile"}, "SIRENA_OIDC_SCOPES"),
        ({"oidc_issuer": "https://id.example", "oidc_client_secret_file": "/nowhere"}, "cannot be read"),
        (
            {"oidc_issuer": "https://id.example", "oidc_client_secret_file": "/nowhere", "oidc_client_secret": "x"},
            "exclude each other",
        ),
    ],
)
def test_what_is_wrong_with_single_sign_on_is_found(changes: dict[str, str], word: str) -> None:
    """Before the first person stands outside."""
    assert any(word in text for text in problems(Settings(**changes)))  # type: ignore[arg-type]


def test_a_secret_file_others_can_read_and_a_wrong_group_mapping_are_found(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    """By the command; when all is right it is content."""
    secret = tmp_path / "secret"
    secret.write_text("hunter2\n")
    secret.chmod(0o644)
    monkeypatch.setenv("SIRENA_OIDC_ISSUER", "https://id.example/realms/x")
    monkeypatch.setenv("SIRENA_OIDC_CLIENT_ID", "sirena")
    monkeypatch.setenv("SIRENA_OIDC_CLIENT_SECRET_FILE", str(secret))
    monkeypatch.setenv("SIRENA_OIDC_ROLES", "PROA=doctor")
    checked = run_command(capfd, ["settings", "check"])
    assert checked.code == 1
    assert f"chmod 600 {secret}" in checked.output
    assert "SIRENA_OIDC_ROLES, pair 1" in checked.output
    assert "hunter2" not in checked.output
    secret.chmod(0o600)
    monkeypatch.setenv("SIRENA_OIDC_ROLES", "PROA=clinician")
    assert run_command(capfd, ["settings", "check"]).code == 0
    assert load_settings().openid_client_secret == "hunter2"


@pytest.mark.parametrize("issuer", ["http://id.example", "ftp://id.example", "https://id.example?x=1", "id.example"])
def test_an_issuer_that_cannot_be_trusted_is_no_setting(issuer: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Over plain HTTP anybody on the way could be the provider; loopback is for trying."""
    monkeypatch.setenv("SIRENA_OIDC_ISSUER", issuer)
    with pytest.raises(SettingsError, match="SIRENA_OIDC_ISSUER"):
        load_settings()


def test_the_command_tells_and_never_shows_a_secret(
    home: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    """List and check, with exit codes."""
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "verysecretword")
    listed = run_command(capfd, ["settings", "list"])
    assert listed.code == 0
    assert "verysecretword" not in listed.output
    assert all(variable_of(name) in listed.output for name in Settings.model_fields)
    (home / "settings.env").write_text("AWS_ACCESS_KEY_ID=a\nSIRENA_PROFILE=production\n")
    (home / "settings.env").chmod(0o644)
    checked = run_command(capfd, ["settings", "check"])
    assert checked.code == 1
    assert "chmod 600" in checked.output


def test_check_is_content_with_the_defaults(capfd: pytest.CaptureFixture[str]) -> None:
    """Exit code 0."""
    assert run_command(capfd, ["settings", "check"]).code == 0


@pytest.mark.parametrize("endpoint", ["minio.example:9000", "https://ana:hunter2@minio.example", "s3://minio.example"])
def test_an_s3_endpoint_that_is_no_plain_address_is_no_setting(endpoint: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without a scheme nobody could be reached by it; keys in it would stand in messages."""
    monkeypatch.setenv("MLFLOW_S3_ENDPOINT_URL", endpoint)
    with pytest.raises(SettingsError, match="MLFLOW_S3_ENDPOINT_URL") as refused:
        load_settings()
    assert "hunter2" not in refused.value.text
