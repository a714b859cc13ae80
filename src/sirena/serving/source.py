"""Where a panel comes from: the registry, or a file for air-gapped sites and tests."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import orjson

from sirena.domain.errors import SirenaError
from sirena.panel.compiled import Panel


class PanelSource(Protocol):
    """A place that holds the panel to answer with."""

    def mark(self) -> str:
        """Return a short text that changes when `load` would give another panel. Called every few seconds, so cheap.

        Raises:
            SirenaError: the place cannot be reached, or holds none.
        """
        ...

    def load(self) -> Panel:
        """Return the panel.

        Raises:
            SirenaError: the place cannot be reached, or holds none.
        """
        ...


class PanelFileError(SirenaError):
    """The panel's file is missing or is none."""

    code = "panel_file"


@dataclass(frozen=True)
class FilePanelSource:
    """A panel written by `Panel.to_json`; a file put in its place is taken up."""

    path: Path

    def mark(self) -> str:
        """Return what changes when the file is replaced."""
        try:
            facts = self.path.stat()
        except OSError as error:
            raise PanelFileError(f"{self.path}: {error.strerror}", hint="name a file holding a panel") from error
        return f"{facts.st_ino}:{facts.st_mtime_ns}:{facts.st_size}"

    def load(self) -> Panel:
        """Read the file."""
        try:
            return Panel.from_json(orjson.loads(self.path.read_bytes()))
        except OSError as error:
            raise PanelFileError(f"{self.path}: {error.strerror}", hint="name a file holding a panel") from error
        except (ValueError, AttributeError) as error:
            raise PanelFileError(
                f"{self.path}: not a panel", hint="write it anew; the old panel stays in use"
            ) from error


@dataclass(frozen=True)
class RegistryPanelSource:
    """A release of the registry.

    The two functions are the registry's; taking them as values keeps MLflow out of the service's imports.
    """

    release: str
    """``active``, ``latest`` or a release's name."""
    identify: Callable[[str], str]
    """Returns the name of the release that is meant now."""
    load_panel: Callable[[str], Panel]
    """Compiles a release."""

    def mark(self) -> str:
        """Return the name of the release that is meant now."""
        return self.identify(self.release)

    def load(self) -> Panel:
        """Compile it."""
        return self.load_panel(self.release)
