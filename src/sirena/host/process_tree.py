"""Which process started which, read from /proc; processes may start and end while that is read."""

from pathlib import Path


def children() -> dict[int, list[int]]:
    """Return the ids of the running child processes of each process, by its id."""
    children_of: dict[int, list[int]] = {}
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            # the command's name may hold blanks and brackets, so fields count from the last bracket
            parent = int((folder / "stat").read_text().rpartition(")")[2].split()[1])
        except (OSError, IndexError, ValueError):
            continue
        children_of.setdefault(parent, []).append(int(folder.name))
    return children_of
