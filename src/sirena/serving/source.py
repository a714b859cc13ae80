"""Where a panel comes from: the registry, or a file for air-gapped sites and tests."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import orjson

from sirena.domain.errors import SirenaError
from sirena.panel.compiled import Panel
from sirena.serving.alarms import SourceAlarm


@dataclass(frozen=True)
class MarkedPanel:
    """A panel and the mark by which its source knows it again."""

    panel: Panel
    mark: str


class PanelSource(Protocol):
    """A place that holds the panel to answer with."""

    @property
    def alarms(self) -> Sequence[SourceAlarm]:
        """What the last `fetch` found that is not what was judged; empty where nothing is judged."""
        return ()

    def has_news(self) -> bool:
        """Tell at little cost whether another panel may be meant since the last `fetch`. Asked every second."""
        return False

    def fetch(self, known: str | None) -> MarkedPanel | None:
        """Return the panel that is meant now, or None when it is the known one. Called every few seconds, so cheap.

        Args:
            known: mark of the panel in use; None when there is none.

        Raises:
            SirenaError: the place cannot be reached, or holds none.
        """
        ...


class PanelFileError(SirenaError):
    """The panel's file is missing or is none."""

    code = "panel_file"


@dataclass(frozen=True)
class FilePanelSource(PanelSource):
    """A panel written by `Panel.to_json`; a file put in its place is taken up."""

    path: Path

    def fetch(self, known: str | None) -> MarkedPanel | None:
        """Read the file unless it is the known one."""
        try:
            facts = self.path.stat()
            mark = f"{facts.st_ino}:{facts.st_mtime_ns}:{facts.st_size}"
            if mark == known:
                return None
            return MarkedPanel(Panel.from_json(orjson.loads(self.path.read_bytes())), mark)
        except OSError as error:
            raise PanelFileError(f"{self.path}: {error.strerror}", hint="name a file holding a panel") from error
        except (ValueError, AttributeError) as error:
            raise PanelFileError(f"{self.path}: not a panel", hint="write it anew") from error


@dataclass(frozen=True)
class RegistryPanelSource(PanelSource):
    """A release of the registry that whoever starts the service named.

    The two functions are the registry's; taking them as values keeps MLflow out of the service's imports.
    """

    identify: Callable[[], str]
    """Returns the name of the release that is meant now; fails when the registry does not answer."""
    load: Callable[[], MarkedPanel]
    """Compiles it, marked with its name; may fall back to a copy kept on this machine."""

    def fetch(self, known: str | None) -> MarkedPanel | None:
        """Load the release unless it is the known one.

        The first is loaded without asking which it is, so that a kept copy answers while the registry is away.
        """
        if known is not None and self.identify() == known:
            return None
        return self.load()
