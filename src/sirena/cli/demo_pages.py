"""The pages of `sirena demo --keep`, with the synthetic hospital's file open and answered by the demo's release."""

from dataclasses import dataclass
from pathlib import Path
from socket import socket
from typing import Self

from sirena.acts.judged_panel import look_for_active
from sirena.cli.pages_answers import models_of
from sirena.serving.server import bind, run_until_signal, url_of
from sirena.settings.catalogue import Settings
from sirena.web.answers import answers_of_release
from sirena.web.application import create_pages
from sirena.web.opened_file import open_whonet_file
from sirena.web.opened_files import OpenedFiles
from sirena.web.visitors import ENTER, OwnMachineOnly, new_key
from sirena.whonet.reading import read_file


@dataclass(frozen=True)
class DemoPages:
    """The application of the pages, ready to be served."""

    application: OwnMachineOnly
    listener: socket
    address: str
    """Address that opens the pages; it holds the key without which they refuse all requests."""

    @classmethod
    def of(cls, file: Path, settings: Settings) -> Self:
        """Create the pages, with a file open and answered by the active release.

        Args:
            file: file of the synthetic hospital.
            settings: settings of the demo.

        Raises:
            SirenaError: no stored copy of the release is as it was judged.
        """
        answers, files, key = answers_of_release(look_for_active(settings).panel), OpenedFiles(), new_key()
        files.add(open_whonet_file(file.name, read_file(file), answers))
        listener = bind("127.0.0.1", 0)
        return cls(
            create_pages(answers, files, key, installed_models=models_of(settings)),
            listener,
            f"{url_of(listener)}{ENTER}{key}",
        )

    def serve(self) -> None:
        """Serve the pages until Ctrl-C or SIGTERM; to be called in the main thread."""
        run_until_signal(self.application, self.listener)
