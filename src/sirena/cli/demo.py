"""``sirena demo``: the whole chain on a synthetic hospital, from a file to an answered HTTP request."""

from typing import Annotated

import typer

from sirena.cli.voice import say
from sirena.host.termination import ends_in_order


def register(app: typer.Typer) -> None:
    """Add ``sirena demo`` to the command line."""

    @app.command(epilog="Example: SIRENA_HOME=var/demo sirena demo --isolates 2000 --keep")
    def demo(
        isolates: Annotated[int, typer.Option(min=100, help="Number of isolates of the invented hospital.")] = 5000,
        keep: Annotated[
            bool, typer.Option("--keep", help="Keep the pages, MLflow and the service running until Ctrl-C or SIGTERM.")
        ] = False,
        seed: Annotated[
            int, typer.Option(min=0, help="Random seed: the same seed gives the same hospital and the same models.")
        ] = 0,
    ) -> None:
        """Run the whole chain with an invented hospital.

        The chain is: file, training, certificates, MLflow, release, HTTP service. All files are written below
        SIRENA_HOME. At the end everything is stopped, unless --keep is given.
        """
        from sirena.server.parts.mlflow_server import embedded_mlflow_server
        from sirena.server.parts.processes import free_port
        from sirena.settings.catalogue import load_settings

        port = free_port()
        server = embedded_mlflow_server(load_settings(), port)
        say("starting MLflow, loading Keras …", err=True)
        with ends_in_order():
            try:
                # it comes up while Keras is imported and the hospital is written
                server.launch()
                from sirena.cli.demo_chain import run_demo

                run_demo(server, f"http://127.0.0.1:{port}", isolates=isolates, seed=seed, keep=keep)
            finally:
                server.stop()
