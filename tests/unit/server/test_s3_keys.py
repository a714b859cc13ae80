"""The file that holds the keys of the S3 endpoint, when it is not what it should be."""

from pathlib import Path

import pytest

from sirena.host.accounts import PreparationError
from sirena.server.object_store.s3 import credentials_file, kept_keys
from sirena.settings.catalogue import Settings

MISTAKES = {
    "empty": b"",
    "of another profile": b"[hospital]\naws_access_key_id = a\naws_secret_access_key = b\n",
    "without the secret": b"[default]\naws_access_key_id = a\n",
    "no such file": b"aws_access_key_id = geheim\n",
    "another file": bytes(range(128, 256)),
}
"""By mistake: what the file holds."""


def told(settings: Settings) -> PreparationError:
    """Return what somebody is told who needs the keys."""
    with pytest.raises(PreparationError) as refused:
        kept_keys(settings)
    assert str(credentials_file(settings)) in refused.value.text
    assert "is missing, or holds no keys" in refused.value.text
    assert "AWS_ACCESS_KEY_ID" in refused.value.hint
    assert "restore a backup" in refused.value.hint
    assert refused.value.exit_code == 1
    return refused.value


def test_a_missing_file_is_named_with_what_helps(tmp_path: Path) -> None:
    """No KeyError of a library."""
    told(Settings(home=tmp_path))


def test_a_file_that_cannot_be_read_is_named_with_what_helps(tmp_path: Path) -> None:
    """Something else has its place, as when a backup was put back half."""
    credentials_file(Settings(home=tmp_path)).mkdir(parents=True)
    told(Settings(home=tmp_path))


@pytest.mark.parametrize("mistake", MISTAKES)
def test_a_file_without_keys_is_named_and_its_content_is_not_told(tmp_path: Path, mistake: str) -> None:
    """Whatever is in it may be a secret."""
    settings = Settings(home=tmp_path)
    credentials_file(settings).parent.mkdir()
    credentials_file(settings).write_bytes(MISTAKES[mistake])
    refused = told(settings)
    assert "geheim" not in refused.text + refused.hint
