"""The sources of a panel: the registry, or a file for air-gapped sites and tests."""

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
    """A panel, and the mark by which its source recognises it."""

    panel: Panel
    mark: str


class PanelSource(Protocol):
    """A source of the panel that answers."""

    @property
    def alarms(self) -> Sequence[SourceAlarm]:
        """The alarms that the last `fetch` found; empty if the source judges nothing."""
        return ()

    @property
    def shadow_mark(self) -> str | None:
        """Mark of the shadow, as the last `fetch` found it; None if there is none."""
        return None

    def load_shadow(self) -> Panel:
        """Return the shadow; call it only if there is a `shadow_mark`.

        Raises:
            SirenaError: the shadow cannot be loaded.
        """
        raise SirenaError("this source names no release that answers unseen")

    def has_news(self) -> bool:
        """Tell cheaply whether there may be another panel since the last `fetch`. Called every second."""
        return False

    def fetch(self, known: str | None) -> MarkedPanel | None:
        """Return the panel that should answer now; None if it is the known one. Called often, so it must be cheap.

        Args:
            known: mark of the panel in use; None if there is none.

        Raises:
            SirenaError: the source cannot be reached, or has no panel.
        """
        ...


class PanelFileError(SirenaError):
    """The panel's file is missing, or is not a panel."""

    code = "panel_file"


@dataclass(frozen=True)
class FilePanelSource(PanelSource):
    """A file written by `Panel.to_json`; if it is replaced, the new one is used."""

    path: Path

    def fetch(self, known: str | None) -> MarkedPanel | None:
        """Return the panel in the file; None if it is the known one."""
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
    """A release of the registry, which the person who starts the service names.

    The two functions are the registry's; they are passed in, so that the service does not import MLflow.
    """

    identify: Callable[[], str]
    """Returns the name of the release that should answer now; raises an error if the registry does not answer."""
    load: Callable[[], MarkedPanel]
    """Loads that release, marked with its name, perhaps from a copy kept on this machine."""

    def fetch(self, known: str | None) -> MarkedPanel | None:
        """Return the release; None if it is the known one.

        The first is loaded without asking for its name, so that a kept copy answers while the registry is unreachable.
        """
        if known is not None and self.identify() == known:
            return None
        return self.load()
