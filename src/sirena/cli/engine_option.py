"""The option ``--engine``: where the parts of a file are processed."""

import enum
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated

import typer

from sirena.engine import Engine
from sirena.engine.local import LOCAL


class EngineName(enum.StrEnum):
    """Where the parts of a file are processed: on this machine, or on a Ray cluster."""

    LOCAL = "local"
    RAY = "ray"


EngineOption = Annotated[
    EngineName,
    typer.Option(
        "--engine",
        help="Where the file is processed: local (this machine) or ray (the Ray cluster at RAY_ADDRESS; "
        "without it, a new one here).",
    ),
]
"""Type of the option ``--engine``."""


@contextmanager
def engine_named(name: EngineName) -> Iterator[Engine]:
    """Yield the engine with a given name; it is open during the ``with`` block.

    Raises:
        ClusterError: Ray is not installed, or no Ray cluster can be used.
    """
    if name is EngineName.LOCAL:
        yield LOCAL
        return
    from sirena.engine.cluster import ray_engine

    with ray_engine() as engine:
        yield engine
