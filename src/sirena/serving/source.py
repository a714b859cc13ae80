"""The sources of a panel of models: the registry, or a file, for air-gapped hospitals and tests."""

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
    """A panel of models, and the mark by which its source recognises it again."""

    panel: Panel
    mark: str


class PanelSource(Protocol):
    """A source of the panel of models that answers."""

    @property
    def alarms(self) -> Sequence[SourceAlarm]:
        """The alarms that the last `fetch` found; empty if the source judges nothing."""
        return ()

    @property
    def shadow_mark(self) -> str | None:
        """Mark of the shadow release, as the last `fetch` found it; None if there is no shadow."""
        return None

    def load_shadow(self) -> Panel:
        """Return the shadow release's panel; call it only if `shadow_mark` is not None.

        Raises:
            SirenaError: the shadow cannot be loaded.
        """
        raise SirenaError("this source names no release that answers unseen")

    def has_news(self) -> bool:
        """Tell cheaply whether there may be another panel since the last `fetch`. Called every second."""
        return False

    def fetch(self, known_mark: str | None) -> MarkedPanel | None:
        """Return the panel that should answer now; None if that is the known panel. Called often, so it must be cheap.

        Args:
            known_mark: mark of the panel in use; None if there is none.

        Raises:
            SirenaError: the source cannot be reached, or has no panel.
        """
        ...


class PanelFileError(SirenaError):
    """The panel's file is missing, or holds no panel."""

    code = "panel_file"


@dataclass(frozen=True)
class FilePanelSource(PanelSource):
    """A file with the content of `Panel.to_json`; if the file is replaced, the new content is used."""

    path: Path

    def fetch(self, known_mark: str | None) -> MarkedPanel | None:
        """Return the panel in the file; None if that is the known panel."""
        try:
            facts = self.path.stat()
            mark = f"{facts.st_ino}:{facts.st_mtime_ns}:{facts.st_size}"
            if mark == known_mark:
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

    def fetch(self, known_mark: str | None) -> MarkedPanel | None:
        """Return the release's panel; None if that is the known panel.

        The first panel is loaded without asking the registry for its name, so that a kept copy answers if the registry
        is unreachable.
        """
        if known_mark is not None and self.identify() == known_mark:
            return None
        return self.load()
