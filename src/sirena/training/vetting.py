"""Checking a ``.keras`` file before Keras loads it: only the parts that Sirena's networks are built of are allowed.

Keras's safe mode refuses marshalled code, but has been circumvented more than once. Sirena's networks need some twenty
classes of Keras and no other file, so these are listed, and a file with any other part is refused before loading.
"""

import json
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from sirena.domain.errors import SirenaError

LONGEST_FILE: Final = 64 * 2**20
"""Largest network file that is asked, in bytes; Sirena's have a quarter of a megabyte."""
_LONGEST_MEMBER: Final = 256 * 2**20
_MEMBERS: Final = frozenset({"metadata.json", "config.json", "model.weights.h5"})
_OPERATIONS: Final = frozenset(
    f"keras.src.ops.{name}"
    for name in (
        "core.Cast", "nn.OneHot", "nn.Sigmoid", "nn.Softplus", "numpy.Add", "numpy.Concatenate", "numpy.Equal",
        "numpy.GetItem", "numpy.Greater", "numpy.Max", "numpy.Maximum", "numpy.Multiply", "numpy.Negative",
        "numpy.NotEqual", "numpy.Stack", "numpy.Subtract", "numpy.Sum",
    )
)  # fmt: skip
_LAYERS: Final = frozenset(f"keras.layers.{name}" for name in ("Dense", "Embedding", "InputLayer", "StringLookup"))
_REST: Final = frozenset(
    {
        "keras.src.models.functional.Functional",
        "keras.DTypePolicy",
        *(f"keras.initializers.{name}" for name in ("Ones", "RandomUniform", "Zeros")),
        # not classes but Keras's words for a tensor, a slice and an array within the graph
        *("__keras_tensor__", "__slice__", "__numpy__"),
    }
)
ALLOWED: Final = _OPERATIONS | _LAYERS | _REST


class ForeignNetworkError(SirenaError):
    """A network file holds a part that Sirena's networks do not have."""

    code = "foreign_network"


def vet_network(file: Path) -> None:
    """Check that a file holds only the parts that Sirena's networks are built of.

    Raises:
        ForeignNetworkError: the file holds no network, or another part; the message names only the kind of part.

    >>> import tempfile
    >>> with tempfile.NamedTemporaryFile(suffix=".keras") as file:
    ...     vet_network(Path(file.name))
    Traceback (most recent call last):
    ...
    sirena.training.vetting.ForeignNetworkError: the network's file is no .keras file
    """
    try:
        with zipfile.ZipFile(file) as archive:
            names = [member.filename for member in archive.infolist()]
            if sorted(names) != sorted(_MEMBERS):
                raise ForeignNetworkError("the network's file holds other members than a network has")
            if any(member.file_size > _LONGEST_MEMBER for member in archive.infolist()):
                raise ForeignNetworkError("the network's file is larger than it says")
            config = json.loads(archive.read("config.json"))
    except (OSError, zipfile.BadZipFile, ValueError, RecursionError) as error:
        raise ForeignNetworkError("the network's file is no .keras file") from error
    for part in _parts(config):
        name = ".".join(str(part[key]) for key in ("module", "class_name") if part.get(key))
        if name not in ALLOWED:
            raise ForeignNetworkError("the network holds a part that Sirena's networks are not built of")
        settings = part.get("config")
        vocabulary = settings.get("vocabulary") if isinstance(settings, dict) else None
        if isinstance(vocabulary, str):
            raise ForeignNetworkError("the network takes its vocabulary from another file")


def _parts(node: Any) -> Iterator[dict[str, Any]]:
    """Yield every object of a configuration that names a class."""
    nodes = [node]
    while nodes:
        part = nodes.pop()
        if isinstance(part, dict):
            if "class_name" in part:
                yield part
            nodes += part.values()
        elif isinstance(part, list):
            nodes += part
