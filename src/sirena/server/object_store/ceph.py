"""Sirena's own S3 endpoint: Ceph's RADOS Gateway on one node, for a server without another S3 service.

One monitor, one store (OSD, on a sparse file, so that data survive a restart) and one gateway run on loopback. There
are no replicas: the backup is the second copy. `MLFLOW_S3_ENDPOINT_URL` names another S3 endpoint to use instead.
"""

import json
import subprocess
import time
import uuid
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from hashlib import sha256
from importlib.resources import files
from pathlib import Path
from typing import Final

import jinja2

from sirena.host.accounts import OsAccount
from sirena.host.handing_over import own_whole
from sirena.host.secret_files import generated_secret, write_private
from sirena.host.whole_files import replace_whole
from sirena.server.object_store.s3 import let_read_credentials, write_credentials
from sirena.server.object_store.store_file import StoreFile
from sirena.server.parts.connections import PartConnection
from sirena.server.parts.part import GreetingHealth, HttpHealth, Part, QuestionHealth, program, version_of
from sirena.settings.catalogue import Settings

_USER: Final = "sirena"
_GATEWAY: Final = "client.rgw.a"
_GREETING: Final = b"ceph v2\n"
"""First bytes that a Ceph daemon sends on its port."""
_QUESTION: Final = b'{"prefix": "version"}\0'
"""Question sent to the store on its own socket."""
_GRACE_SECONDS: Final = 20
_GROWTH_SECONDS: Final = 1800.0
"""Longest time for enlarging the store: it first reads its own tables, which takes minutes on a slow disk."""
PACKAGES: Final = {
    "ceph-mon": "ceph-mon",
    "ceph-osd": "ceph-osd",
    "ceph-bluestore-tool": "ceph-osd",
    "radosgw": "radosgw",
    "radosgw-admin": "radosgw",
    "ceph": "ceph-common",
    "ceph-authtool": "ceph-common",
    "monmaptool": "ceph-common",
}
"""Debian package of each program."""


@dataclass(frozen=True)
class ObjectStore:
    """A Ceph cluster of one node with its S3 gateway."""

    settings: Settings
    owner: OsAccount
    """Account of the daemons."""
    reader: OsAccount
    """Account of the programs that use the S3 endpoint."""

    @property
    def folder(self) -> Path:
        """Folder of configuration, keys and data."""
        return self.settings.home / "ceph"

    @property
    def endpoint(self) -> str:
        """URL of the gateway."""
        return f"http://127.0.0.1:{self.settings.s3_port}"

    @property
    def socket(self) -> Path:
        """Unix socket of the object store for administrative commands."""
        return self.folder / "run" / "store.asok"

    def parts(self) -> list[Part]:
        """Return monitor, store and gateway as parts, in the order of their start."""
        version = version_of([ceph_program("radosgw"), "--version"])
        configuration = self.folder / "ceph.conf"
        # the command lines never change; by this the supervisor sees that the file did, and restarts them
        mark = {"CONFIGURATION_MARK": sha256(configuration.read_bytes()).hexdigest()} if configuration.exists() else {}
        daemons = (
            ("ceph-monitor", self._daemon("ceph-mon", "-i", "a"), GreetingHealth(self.settings.ceph_port, _GREETING)),
            ("ceph-store", self._daemon("ceph-osd", "-i", "0"), QuestionHealth(self.socket, _QUESTION)),
            ("s3", self._daemon("radosgw", "-n", _GATEWAY), HttpHealth(PartConnection(self.endpoint))),
        )
        ports = {"ceph-monitor": self.settings.ceph_port, "s3": self.settings.s3_port}
        return [
            Part(
                name, command, self.owner, health, version, port=ports.get(name), environment=mark, ready_seconds=120.0
            )
            for name, command, health in daemons
        ]

    def prepare(self) -> None:
        """Make keys, monitor, store and the gateway's user at the first start; at later starts apply changed settings.

        At later starts the configuration is written, and the store enlarged if the settings ask for more; the store
        must not run then.

        Raises:
            PreparationError: Ceph is missing, or a step fails.
        """
        for name in PACKAGES:
            ceph_program(name)
        own_whole(self.owner, self.folder)
        self.owner.own_folder(self.folder)
        mark = self._preparation_mark
        if not mark.exists() and any(self.folder.iterdir()):
            self._begin_anew()
        cluster = generated_secret(self.folder / "cluster_id", self.owner) if mark.exists() else self._new_cluster()
        self._write_configuration(cluster)
        if mark.exists():
            let_read_credentials(self.settings, self.reader)
            if self.moves:
                self._move_monitor(cluster)
            if self.file.grows:
                self._grow()
            return
        self._make_keys()
        with ExitStack() as daemons:
            self._make_monitor(cluster)
            daemons.enter_context(self._running_daemon(self._daemon("ceph-mon", "-i", "a")))
            self._ask_cluster("auth", "import", "-i", str(self.folder / "keyring"))
            self._make_store()
            daemons.enter_context(self._running_daemon(self._daemon("ceph-osd", "-i", "0")))
            self._make_user()
        self._note_port()

    @property
    def moves(self) -> bool:
        """True if the monitor was made for another port than `SIRENA_CEPH_PORT`; `prepare` then moves the monitor."""
        return self._preparation_mark.exists() and self._preparation_mark.read_text(encoding="utf-8") != str(
            self.settings.ceph_port
        )

    @property
    def file(self) -> StoreFile:
        """The file that holds the objects."""
        return StoreFile(self.settings)

    @property
    def _preparation_mark(self) -> Path:
        return self.folder / "prepared"

    def _note_port(self) -> None:
        replace_whole(self._preparation_mark, str(self.settings.ceph_port).encode())

    def _move_monitor(self, cluster: str) -> None:
        """Write the new address into the monitor's own map, since the configuration alone does not move it."""
        self._make_monmap(cluster)
        self.owner.run(
            [ceph_program("ceph-mon"), "-c", self._configuration, "-i", "a", "--inject-monmap", self._monmap]
        )
        self._note_port()

    def _grow(self) -> None:
        """Enlarge the store's file, and make bluestore use it; the store must not run."""
        command = [ceph_program("ceph-bluestore-tool"), "--path", str(self.file.path.parent), "bluefs-bdev-expand"]
        with self.file.growing(self.owner):
            # it knows no option for the configuration, and the machine's own is none of ours
            self.owner.run(command, environment={"CEPH_CONF": self._configuration}, seconds=_GROWTH_SECONDS)

    def _new_cluster(self) -> str:
        write_private(self.folder / "cluster_id", str(uuid.uuid4()), self.owner)
        return (self.folder / "cluster_id").read_text(encoding="utf-8")

    def _begin_anew(self) -> None:
        """Rename the folder that an interrupted first start left, in which nothing was stored yet."""
        aside = self.folder.with_name(f"ceph.interrupted.{time.time_ns()}")
        self.folder.rename(aside)
        self.owner.own_folder(self.folder)

    def _write_configuration(self, cluster: str) -> None:
        template = jinja2.Template(
            files(__package__).joinpath("templates/ceph.conf.j2").read_text(encoding="utf-8"),
            undefined=jinja2.StrictUndefined,
            keep_trailing_newline=True,
            autoescape=False,
        )
        text = template.render(
            cluster=cluster,
            folder=self.folder,
            monitor_port=self.settings.ceph_port,
            first_port=self.settings.ceph_port + 1,
            last_port=self.settings.ceph_port + 9,
            gateway_port=self.settings.s3_port,
        )
        write_private(self.folder / "ceph.conf", text, self.owner)
        self.owner.own_folder(self.folder / "run")

    def _make_keys(self) -> None:
        keyring = str(self.folder / "keyring")
        for number, (name, capabilities) in enumerate(
            (
                ("mon.", ("mon", "allow *")),
                ("client.admin", ("mon", "allow *", "osd", "allow *", "mgr", "allow *")),
                ("osd.0", ("mon", "allow profile osd", "osd", "allow *")),
                (_GATEWAY, ("mon", "allow rw", "osd", "allow rwx")),
            )
        ):
            pairs = zip(capabilities[::2], capabilities[1::2], strict=True)
            capability_words = [word for kind, capability in pairs for word in ("--cap", kind, capability)]
            create = ["--create-keyring"] if number == 0 else []
            self.owner.run(
                [ceph_program("ceph-authtool"), keyring, *create, "--gen-key", "-n", name, *capability_words]
            )

    def _make_monitor(self, cluster: str) -> None:
        self._make_monmap(cluster)
        self.owner.own_folder(self.folder / "monitor")
        self.owner.run(
            [ceph_program("ceph-mon"), "-c", self._configuration, "--mkfs", "-i", "a", "--monmap", self._monmap,
             "--keyring", str(self.folder / "keyring")]
        )  # fmt: skip

    def _make_monmap(self, cluster: str) -> None:
        address = f"[v2:127.0.0.1:{self.settings.ceph_port}]"
        command = [ceph_program("monmaptool"), "--create", "--clobber", "--fsid", cluster, "--addv", "a", address]
        self.owner.run([*command, self._monmap])

    @property
    def _monmap(self) -> str:
        return str(self.folder / "monmap")

    def _make_store(self) -> None:
        store = str(uuid.uuid4())
        self._ask_cluster("osd", "new", store)
        self.owner.own_folder(self.folder / "store")
        # the size is no part of the configuration, or all of Ceph would start anew when the store grows
        size = f"--bluestore-block-size={self.file.wanted_size}"
        command = [ceph_program("ceph-osd"), "-c", self._configuration, "--mkfs", "-i", "0", "--osd-uuid", store, size]
        self.owner.run(command)
        self._ask_cluster("osd", "crush", "add", "osd.0", "1.0", "root=default")

    def _make_user(self) -> None:
        # the gateway generates the keys and tells them on its output: on a command line anyone could read them
        answer = self.owner.run(
            [ceph_program("radosgw-admin"), "-c", self._configuration, "-n", _GATEWAY, "user", "create",
             f"--uid={_USER}", "--display-name=Sirena"]
        )  # fmt: skip
        keys = json.loads(answer)["keys"][0]
        write_credentials(self.settings, self.reader, keys["access_key"], keys["secret_key"])

    @property
    def _configuration(self) -> str:
        return str(self.folder / "ceph.conf")

    def _daemon(self, name: str, *arguments: str) -> tuple[str, ...]:
        return (ceph_program(name), "-f", "-c", self._configuration, *arguments)

    def _ask_cluster(self, *words: str) -> str:
        command = [ceph_program("ceph"), "-c", self._configuration, "--connect-timeout", "30", *words]
        return self.owner.run(command)

    @contextmanager
    def _running_daemon(self, command: tuple[str, ...]) -> Iterator[None]:
        with self.owner.start(command, self.folder / "first_start.log") as process:
            try:
                yield
            finally:
                process.terminate()
                try:
                    process.wait(_GRACE_SECONDS)
                except subprocess.TimeoutExpired:
                    process.kill()


def ceph_program(name: str) -> str:
    """Return the path of one of Ceph's programs.

    Raises:
        PreparationError: the program is not installed.
    """
    return program(name, PACKAGES[name])
