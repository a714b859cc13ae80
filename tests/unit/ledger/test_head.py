"""Where the ledger's end is noted, also by root in the folders of other accounts."""

from pathlib import Path

import pytest

from sirena.ledger.head import Head, HeadFile


@pytest.mark.parametrize("suffix", [".lock", f".{'{pid}'}.new"])
def test_a_link_that_somebody_laid_is_not_followed(
    tmp_path: Path, suffix: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Root would else write, or give away, a file of its own: the folder belongs to the account of a part."""
    monkeypatch.setattr("os.getpid", lambda: 7)
    treasure = tmp_path / "treasure"
    treasure.write_text("of root", encoding="utf-8")
    head = HeadFile(tmp_path / "head-1.json")
    head.path.with_suffix(suffix.format(pid=7)).symlink_to(treasure)
    if suffix == ".lock":
        with pytest.raises(OSError, match="symbolic links"):
            head.replace(Head(1, "0" * 64))
    else:
        head.replace(Head(1, "0" * 64))
        assert head.read() == Head(1, "0" * 64)
    assert treasure.read_text(encoding="utf-8") == "of root"


def test_a_later_end_is_kept_and_replaced_on_purpose_alone(tmp_path: Path) -> None:
    """A writer that is late does not take the end back."""
    head = HeadFile(tmp_path / "head-1.json")
    head.note(Head(5, "1" * 64))
    head.note(Head(3, "2" * 64))
    assert head.read() == Head(5, "1" * 64)
    head.replace(Head(3, "2" * 64))
    assert head.read() == Head(3, "2" * 64)
