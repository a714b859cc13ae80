"""A port that somebody else listens on is named before anything starts."""

import socket
from pathlib import Path

import pytest

from sirena.operations.accounts import PreparationError
from sirena.operations.free_ports import require_free_ports
from tests.production_machine import production_settings


def test_a_taken_port_is_named_with_its_setting(tmp_path: Path) -> None:
    """Also one of the ten that Ceph's daemons choose from; without Sirena's own Ceph those do not matter."""
    settings = production_settings(tmp_path)
    require_free_ports(settings)
    with socket.create_server(("127.0.0.1", settings.ceph_port + 3)):
        with pytest.raises(PreparationError, match=f"{settings.ceph_port + 3} .SIRENA_CEPH_PORT"):
            require_free_ports(settings)
        require_free_ports(settings.model_copy(update={"s3_endpoint_url": "https://minio.example"}))
    with (
        socket.create_server(("127.0.0.1", settings.port)),
        pytest.raises(PreparationError, match=f"{settings.port} .SIRENA_PORT"),
    ):
        require_free_ports(settings.model_copy(update={"profile": "embedded"}))
