"""Run the commands of a guide as written, and print their output: a transcript that proves the guide right.

    python scripts/follow_guide.py docs/howto/first-server.md --home /var/lib/sirena --port 5000

A block ```` ```sh NAME ```` belongs to a person; each person keeps the environment of the earlier blocks, all share
one folder. A block without a name is not run. A command must end with exit code 0, or with N if `# exit code N` follows
it.
`localhost:5000` and `/var/lib/sirena` are replaced by the given port and folder. The script ends with 1 at the first
command with another exit code.
"""

import argparse
import os
import re
import shlex
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import sirena

BLOCK = re.compile(r"^```sh (?P<person>\w+)\n(?P<commands>.*?)^```$", re.MULTILINE | re.DOTALL)
EXPECTED = re.compile(r"# exit code (\d+)")


@dataclass(frozen=True)
class Command:
    """One command of a guide."""

    person: str
    text: str

    @property
    def expected(self) -> int:
        """Exit code that the guide states."""
        found = EXPECTED.search(self.text)
        return int(found[1]) if found else 0


@dataclass(frozen=True)
class Ended:
    """The result of a command."""

    command: Command
    code: int
    output: str


def commands_of(guide: str) -> list[Command]:
    """Return the commands of a guide in order."""
    return [
        Command(block["person"], line)
        for block in BLOCK.finditer(guide)
        for line in block["commands"].splitlines()
        if line.strip()
    ]


def follow(
    guide: str, folder: Path, *, programs: Mapping[str, str], environment: Mapping[str, str], home: Path, port: int
) -> Iterator[Ended]:
    """Run a guide command by command, and yield each result.

    Args:
        guide: text of the guide.
        folder: working folder of all persons.
        programs: commands that run `sirena` and `python`, as a shell reads them.
        environment: environment of root on the server; other persons have `PATH` only.
        home: folder in place of `/var/lib/sirena`.
        port: port of NGINX, in place of 5000.
    """
    binaries = folder / "bin"
    binaries.mkdir(exist_ok=True)
    source = str(Path(sirena.__file__).parent.parent)
    for name, words in programs.items():
        (binaries / name).write_text(f'#!/bin/sh\nPYTHONPATH={shlex.quote(source)} exec {words} "$@"\n')
        (binaries / name).chmod(0o755)
    path = f"{binaries}{os.pathsep}{os.environ.get('PATH', '/usr/bin:/bin')}"
    for command in commands_of(guide):
        text = command.text.replace("/var/lib/sirena", str(home)).replace("localhost:5000", f"localhost:{port}")
        memory = folder / f".{command.person}.environment"
        own = environment if command.person == "root" else {"HOME": str(folder)}
        # functions and variables of earlier commands are there again, as in one terminal
        kept = "export -p; declare -f; umask -p"
        script = f"[ -f {memory} ] && . {memory}\n{text}\ncode=$?\n{{ {kept}; }} > {memory}\nexit $code\n"
        ended = subprocess.run(  # noqa: S603 - the guide's own commands are what shall run
            ["/bin/bash", "-c", script],
            env={**own, "PATH": path},
            cwd=folder,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=300,
            check=False,
        )
        yield Ended(command, ended.returncode, ended.stdout)


def main() -> int:
    """Follow a guide, and print the transcript."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("guide", type=Path)
    parser.add_argument("--home", type=Path, default=Path("/var/lib/sirena"))
    parser.add_argument("--port", type=int, default=5000)
    options = parser.parse_args()
    python = shlex.quote(sys.executable)
    with tempfile.TemporaryDirectory(prefix="sirena-guide-") as folder:
        for ended in follow(
            options.guide.read_text("utf-8"),
            Path(folder),
            programs={"sirena": f"{python} -m sirena.cli", "python": python},
            environment=os.environ,
            home=options.home,
            port=options.port,
        ):
            print(f"{ended.command.person}$ {ended.command.text}\n{ended.output.rstrip()}", flush=True)
            if ended.code:
                print(f"[exit code {ended.code}]", flush=True)
            print(flush=True)
            if ended.code != ended.command.expected:
                print(f"the guide tells exit code {ended.command.expected}", file=sys.stderr)
                return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
