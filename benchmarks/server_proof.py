"""What the server's own proofs cost: seconds to judge a version through the gate, with its network asked again.

    PYTHONPATH=src python benchmarks/server_proof.py [--drugs AMK,AMP,CAZ]

Networks are trained from CLSI 2025 with its whole vocabulary, registered on a real MLflow server (SQLite and a folder),
and judged for production as the access service does: the first starts the process that asks networks, the others find
it running, and a second judgement uses the remembered proof. The check of what is registered, before an upload, is
measured too.
"""

import argparse
import tempfile
import time
from pathlib import Path
from statistics import median

from sirena.access.events import ActOrigin
from sirena.acts.entry_upstream import RegistryUpstream
from sirena.guidelines.choice import choose_editions
from sirena.guidelines.editions import Editions
from sirena.ledger.event import new_act
from sirena.registry.connection import connect
from sirena.registry.training_session import Plan, run_session
from sirena.server.parts.mlflow_server import embedded_mlflow_server
from sirena.server.parts.processes import free_port
from sirena.settings.catalogue import Settings
from sirena.training.asking_apart import NetworkAsker
from sirena.training.evidence import ROW_TYPES, Evidence, LabelSource


def main() -> None:
    """Run the benchmark and print the figures."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--drugs", default="AMK,AMP,CAZ,CIP,GEN")
    drugs = tuple(str(parser.parse_args().drugs).split(","))
    editions = choose_editions(Editions())
    reference = editions.tables([f"{drug}_NM" for drug in drugs])
    evidence = Evidence(ROW_TYPES.to_frame(), LabelSource.REFERENCE, reference=reference)
    with tempfile.TemporaryDirectory() as folder:
        home, port = Path(folder), free_port()
        settings = Settings(home=home, tracking_uri=f"http://127.0.0.1:{port}", profile="production")
        with embedded_mlflow_server(settings, port):
            registry = connect(settings)
            outcomes = run_session(registry, Plan(evidence, editions, "trainer", drugs))
            asker = NetworkAsker()
            upstream = RegistryUpstream(settings, asker)

            def judged(name: str, version: int) -> float:
                begun = time.perf_counter()
                by = ActOrigin(who="approver", origin="", request_id="", act=new_act())
                upstream.judge(name, str(version), "Production", by, "")
                return time.perf_counter() - begun

            made = [outcome.version for outcome in outcomes if outcome.version is not None]
            proving = [judged(version.name, version.version) for version in made]
            known = [judged(version.name, version.version) for version in made]
            looks = []
            for _ in range(5):
                upstream.forget_registered()
                begun = time.perf_counter()
                upstream.registered(["0" * 32])
                looks.append(time.perf_counter() - begun)
            asker.close()
    print(f"{proving[0]:8.2f} s  first version, the process started")
    print(
        f"{median(proving[1:]):8.2f} s  a further version, median of {len(made) - 1}; longest {max(proving[1:]):.2f} s"
    )
    print(f"{median(known):8.2f} s  a version proved before, median")
    print(f"{1000 * median(looks):8.1f} ms a look at what is registered, median")


if __name__ == "__main__":
    main()
