"""How test files are distributed among workers: which files one worker runs together, and which begin first.

Files share servers that take minutes to start: a stack, a guarded house, the machine for backups. One worker takes the
tests from the beginning of the list, where the stack and the backups stand, and the others from its end, where the
other long files stand. They meet among the unit tests, which are short, so that they end at about the same time.
"""

from contextlib import suppress
from importlib import import_module
from pathlib import Path
from typing import Any, Final

import pytest

_SERVER: Final = "tests/integration/server"
_STACK: Final = (f"{_SERVER}/test_stack.py", f"{_SERVER}/test_foreign_access.py")
"""One stack; the second changes whose its files are, and leaves settings on record."""
_BACKUP: Final = ("tests/integration/backup/test_backup.py", "tests/integration/backup/test_store.py")
_HOUSE: Final = tuple(
    f"{_SERVER}/test_{name}.py"
    for name in (
        "attacks",
        "entry_refuses",
        "kept_decisions",
        "mlflow_pages",
        "pages",
        "stored_scripts",
        "walk_of_roles",
        "workers",
    )
)
_PAGES: Final = tuple(f"tests/integration/web/test_{name}.py" for name in ("pages_in_a_browser", "pages_on_trial"))
_FOREIGN_S3: Final = (f"{_SERVER}/test_given_s3.py", "tests/integration/engine/test_files_in_s3.py")
"""One S3 server of another owner."""
_REGISTRY: Final = tuple(
    f"tests/integration/registry/{path.name}"
    for path in sorted(Path(__file__).parent.glob("integration/registry/test_*.py"))
)
"""One MLflow server, one process that asks networks, and networks trained once."""
_SOURCES: Final = ("tests/unit/test_layers.py", "tests/unit/ledger/test_every_event_has_a_caller.py")
"""They read the source of the whole program, once if one worker runs both."""
FIRST: Final = (*_STACK, *_BACKUP)
"""Files at the beginning of the list; after them stand the unit tests, and after those the other tests."""
LAST: Final = (
    f"{_SERVER}/test_acme.py",
    f"{_SERVER}/test_entry.py",
    f"{_SERVER}/test_supervision.py",
    "tests/e2e/test_serve_workers.py",
    f"{_SERVER}/test_hanging.py",
    f"{_SERVER}/test_entry_reload.py",
    "tests/integration/access/test_openid.py",
    f"{_SERVER}/test_repository.py",
    "tests/integration/training/test_real_isolates.py",
    "tests/e2e/test_shared_cells_chain.py",
    "tests/e2e/test_chain.py",
    "tests/e2e/test_manual_one_machine.py",
    f"{_SERVER}/test_upgrade.py",
    f"{_SERVER}/test_manual_server.py",
    *_FOREIGN_S3,
    *_REGISTRY,
    f"{_SERVER}/test_faults.py",
    *_HOUSE,
    "tests/integration/engine/test_cluster.py",
    *_PAGES,
    "tests/e2e/test_train_interrupted.py",
)
"""Files at the end of the list. The first that begin, at its very end, start no stack: another worker's starts then."""
_GROUPS: Final = (_STACK, _BACKUP, _HOUSE, _PAGES, _FOREIGN_S3, _REGISTRY, _SOURCES)
_GROUP: Final = {file: group[0] for group in _GROUPS for file in group}
_BETWEEN: Final = ("tests/unit/", "tests/integration/", "tests/e2e/")
_ROOT: Final = Path(__file__).resolve().parent.parent


def sort_by_length(items: list[pytest.Item]) -> None:
    """Sort tests so that the longest files stand at both ends; the tests of a file stay in their order."""
    ends = {file: number - len(FIRST) for number, file in enumerate(FIRST)}
    ends |= {file: number + len(_BETWEEN) for number, file in enumerate(LAST)}
    items.sort(key=lambda item: _place_of(_file_of(item.path), ends))


def _place_of(file: str, ends: dict[str, int]) -> int:
    folders = [number for number, folder in enumerate(_BETWEEN) if file.startswith(folder)]
    return ends.get(file, folders[0] if folders else 0)


def _file_of(path: Path) -> str:
    return path.relative_to(_ROOT).as_posix() if path.is_relative_to(_ROOT) else ""


def group_of(file: str) -> str:
    """Return the name of the group that a file is run with; the file's own name if it has no group."""
    return _GROUP.get(file, file)


def import_share(arguments: list[str], number: int, workers: int) -> None:
    """Import one worker's share of the test files.

    On a fresh checkout pytest rewrites the assertions of a file when it is imported, and keeps the result for all.
    A file that cannot be imported is for the collection to tell.
    """
    folders = [Path(argument.partition("::")[0]).resolve() for argument in arguments]
    files = sorted(file for folder in folders for file in folder.rglob("test_*.py") if file.is_relative_to(_ROOT))
    for file in files[number::workers]:
        with suppress(Exception, pytest.skip.Exception):
            import_module(".".join(file.relative_to(_ROOT).with_suffix("").parts))


def scheduler(config: pytest.Config, log: Any) -> Any:
    """Return pytest-xdist's scheduler that gives each worker one group at a time."""
    from xdist.scheduler import LoadFileScheduling

    class Together(LoadFileScheduling):  # type: ignore[misc]  # a library without types
        def _split_scope(self, nodeid: str) -> str:
            return group_of(super()._split_scope(nodeid))

        def _assign_work_unit(self, node: Any) -> None:
            if node is not self.nodes[0]:
                self.workqueue.move_to_end(next(reversed(self.workqueue)), last=False)
            super()._assign_work_unit(node)

    return Together(config, log)
