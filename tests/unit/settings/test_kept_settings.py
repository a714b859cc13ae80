"""What the ledger is told of settings that were changed between two starts."""

from pathlib import Path

from pydantic import SecretStr

from sirena.settings.catalogue import Settings
from sirena.settings.kept import KeptSettings, SettingChange


def test_changes_are_named_with_both_values_and_secrets_without(tmp_path: Path) -> None:
    """Nothing before the first start, nothing while all is the same, and never a secret."""
    before = Settings(home=tmp_path, rate=100, aws_secret_access_key=SecretStr("hush-hush"), user="eva")
    kept = KeptSettings.of(before)
    assert kept.changes(before) == []
    kept.keep(before)
    assert kept.changes(before.model_copy(update={"user": "ana"})) == []
    after = before.model_copy(update={"rate": 50, "aws_secret_access_key": SecretStr("other"), "gate": Path("/g.toml")})
    assert sorted(kept.changes(after), key=lambda change: change.variable) == [
        SettingChange("AWS_SECRET_ACCESS_KEY", "secret", "secret"),
        SettingChange("SIRENA_GATE", "", "/g.toml"),
        SettingChange("SIRENA_RATE", "100", "50"),
    ]
    assert "hush" not in kept.path.read_text()
    assert kept.path.stat().st_mode & 0o777 == 0o600
