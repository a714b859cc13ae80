"""The texts that people read, extracted from the source: errors, and every sentence of the command line.

A text is a template with ``%(name)s`` for each value; a condition inside a text gives one template for each branch.
`write_catalogues.py` writes them into the catalogues, and tests compare both.
"""

import ast
import re
import sys
from collections.abc import Iterator
from copy import deepcopy
from pathlib import Path

import sirena

sys.path.insert(0, str(Path(__file__).resolve().parent))

from text_templates import name_of, spelled, templates

PACKAGE = Path(sirena.__file__).parent
OF_SERVERS = ("access", "serving", "web/application.py", "web/pages.py")
"""Sources whose errors are answers of servers, which speak English to programs."""
SENTENCES = (
    "acts/",
    "cli/",
    "certification/isolate_criteria.py",
    "certification/grid_criteria.py",
    "certification/procedure_criteria.py",
    "certification/gate.py",
    "certification/agreement.py",
    "certification/comparison.py",
    "certification/monotonicity.py",
    "certification/remedies.py",
    "guidelines/choice.py",
    "guidelines/difference.py",
    "guidelines/organism_words.py",
    "panel/provenance.py",
    "registry/release_ranges.py",
    "server/checks/",
    "server/parts/part.py",
    "server/supervision/health_report.py",
    "registry/training_session.py",
    "stewardship/exports_glass.py",
    "training/fitting.py",
    "whonet/containers.py",
    "whonet/inspection.py",
    "whonet/problems.py",
    "whonet/understanding.py",
)
"""Sources whose every sentence people are shown."""
FOR_PROGRAMS = (
    *("acts/entry_", "acts/judged_files.py", "acts/recording.py", "acts/upgrade_look.py"),
    *("cli/access_", "cli/json_document.py", "cli/judged_files.py", "cli/recording.py"),
    *("cli/run.py", "cli/serve.py", "cli/upgrade_look.py", "server/checks/walking.py"),
)
"""Of these, what is read by programs or stands in logs: only their errors are for people."""
WORDS = {"whonet/drug_headers.py": ("Content",), "server/checks/finding.py": ("Area", "CheckVerdict")}
"""Enumerations whose values people are shown."""
_OTHER_ERRORS = {"TypeError", "RuntimeError", "KeyError", "AssertionError", "NotImplementedError", "LookupError"}
_STEPS = {"tell"}
"""Functions that are told a step under way, which the command shows."""
_LETTERS = re.compile(r"[A-Za-z]{2}")
_OF_COMMANDS = {"help", "epilog", "metavar", "name"}
_SHOWN = {"headings", "facts", "legend", "states", "account_state", "signs_in"}
_NAMING = {"Section", "in_words", "CheckFinding", "about", "note", "looking"}
"""Calls whose single words people are shown: titles, headings and cells of sections, names of what is looked at."""


def messages() -> dict[str, str]:
    """Return the place in the source of each template."""
    texts: dict[str, str] = {}
    for path in sorted(PACKAGE.rglob("*.py")):
        place, source = path.relative_to(PACKAGE).as_posix(), path.read_text(encoding="utf-8")
        if not place.startswith((*SENTENCES, *WORDS)) and "Error(" not in source and "tell(" not in source:
            continue
        tree = _Inlined().visit(ast.parse(source))
        for node in _texts(tree, place):
            for template in templates(node):
                if _is_text(template):
                    texts.setdefault(template, place)
    return texts


class _Inlined(ast.NodeTransformer):
    """Replaces variables by the texts assigned to them, and calls by the texts that the functions return."""

    def __init__(self) -> None:
        self._scopes: list[dict[str, ast.expr]] = []

    def visit_Module(self, node: ast.Module) -> ast.AST:
        """Collect the module's constants and functions."""
        return self._within(node)

    def visit_FunctionDef(self, node: ast.FunctionDef) -> ast.AST:
        """Collect the function's variables."""
        return self._within(node)

    def _within(self, node: ast.Module | ast.FunctionDef) -> ast.AST:
        self._scopes.append(dict(_given(node)))
        self.generic_visit(node)
        self._scopes.pop()
        return node

    def visit_Name(self, node: ast.Name) -> ast.AST:
        """Replace a variable."""
        return (self._text(node.id) if isinstance(node.ctx, ast.Load) else None) or node

    def visit_Call(self, node: ast.Call) -> ast.AST:
        """Replace a call."""
        name = f"{node.func.id}()" if isinstance(node.func, ast.Name) else ""
        text = self._text(name)
        self.generic_visit(node)
        return text or node

    def _text(self, name: str) -> ast.expr | None:
        for scope in reversed(self._scopes):
            if name in scope:
                text = scope.pop(name)  # so that no text is put into itself
                inlined: ast.expr = self.visit(deepcopy(text))
                scope[name] = text
                return inlined
        return None


def _given(node: ast.Module | ast.FunctionDef) -> Iterator[tuple[str, ast.expr]]:
    """Yield names that are assigned a text once, and functions that return texts."""
    values: dict[str, list[ast.expr]] = {}
    for child in _own_statements(node):
        if isinstance(child, ast.Assign) and len(child.targets) == 1 and isinstance(child.targets[0], ast.Name):
            values.setdefault(child.targets[0].id, []).append(child.value)
        elif isinstance(child, ast.AnnAssign) and isinstance(child.target, ast.Name) and child.value is not None:
            values.setdefault(child.target.id, []).append(child.value)
        elif isinstance(child, ast.AugAssign | ast.For) and isinstance(child.target, ast.Name):
            values.setdefault(child.target.id, []).extend([child.target, child.target])
        elif isinstance(child, ast.FunctionDef) and isinstance(node, ast.Module) and _returns_text(child):
            whole = _Inlined().visit(deepcopy(child))
            returned = [one.value for one in ast.walk(whole) if isinstance(one, ast.Return) and one.value]
            if returned and all(spelled(one) for one in returned):
                yield f"{child.name}()", _any_of(returned)
    for name, given in values.items():
        if len(given) == 1 and spelled(given[0]) and not name.startswith("__"):
            yield name, given[0]


def _returns_text(node: ast.FunctionDef) -> bool:
    return node.returns is not None and name_of(node.returns) == "str"


def _own_statements(node: ast.AST) -> Iterator[ast.AST]:
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.expr):
            continue
        yield child
        if not isinstance(child, ast.FunctionDef | ast.ClassDef):
            yield from _own_statements(child)


def _any_of(nodes: list[ast.expr]) -> ast.expr:
    return nodes[0] if len(nodes) == 1 else ast.BoolOp(ast.Or(), nodes)


def _texts(tree: ast.Module, place: str) -> Iterator[ast.expr]:
    if place in WORDS:
        for name in WORDS[place]:
            yield from _values_of(tree, name)
    if place.startswith(SENTENCES) and not place.startswith(FOR_PROGRAMS):
        yield from _sentences(tree)
    elif not place.startswith(OF_SERVERS):
        for node in ast.walk(tree):
            if isinstance(node, ast.Call) and (_is_error(name_of(node.func)) or name_of(node.func) in _STEPS):
                yield from node.args
                yield from (keyword.value for keyword in node.keywords)


def _is_error(name: str) -> bool:
    return name.endswith("Error") and name not in _OTHER_ERRORS


def _values_of(tree: ast.Module, name: str) -> Iterator[ast.expr]:
    for node in ast.walk(tree):
        if isinstance(node, ast.ClassDef) and node.name == name:
            yield from (child.value for child in node.body if isinstance(child, ast.Assign))


def _sentences(node: ast.AST, is_word: bool = False) -> Iterator[ast.expr]:
    """Yield the outermost expressions of text below a node, without docstrings, annotations and help of commands."""
    for field, child in _children(node):
        if field in {"annotation", "returns"} or (
            isinstance(child, ast.Expr) and isinstance(child.value, ast.Constant)
        ):
            continue
        if isinstance(child, ast.keyword) and child.arg in _OF_COMMANDS:
            continue
        if isinstance(child, ast.AnnAssign) and name_of(child.target) == "_EXAMPLE":
            continue
        if isinstance(child, ast.Call) and name_of(child.func) == "echo":
            # printed as it stands, but for what is put into words in it
            yield from _put_into_words(child)
            continue
        words = is_word or _shows_words(child)
        if isinstance(child, ast.expr) and _is_spelled(child):
            if words or any(" " in template for template in templates(child)):
                yield child
            for place in ast.walk(child):
                if isinstance(place, ast.FormattedValue) and not spelled(place.value):
                    yield from _sentences(place, words)
        else:
            yield from _sentences(child, words)


def _put_into_words(node: ast.AST) -> Iterator[ast.expr]:
    for child in ast.walk(node):
        if isinstance(child, ast.Call) and name_of(child.func) == "in_words":
            yield from (argument for argument in child.args if _is_spelled(argument))


def _children(node: ast.AST) -> Iterator[tuple[str, ast.AST]]:
    for field, value in ast.iter_fields(node):
        for child in value if isinstance(value, list) else [value]:
            if isinstance(child, ast.AST):
                yield field, child


def _shows_words(node: ast.AST) -> bool:
    """Tell whether single words below a node are shown to people: titles, headings and cells of sections."""
    if isinstance(node, ast.Call):
        return name_of(node.func) in _NAMING
    if isinstance(node, ast.Assign | ast.AnnAssign):
        targets = node.targets if isinstance(node, ast.Assign) else [node.target]
        return any(name_of(target).strip("_").lower() in _SHOWN for target in targets)
    return False


def _is_spelled(node: ast.expr) -> bool:
    return isinstance(node, ast.JoinedStr | ast.BinOp | ast.Constant | ast.IfExp | ast.BoolOp) and bool(spelled(node))


def _is_text(template: str) -> bool:
    literal = re.sub(r"%\(\w+\)s", "", template)
    return bool(_LETTERS.search(literal)) and "://" not in template.partition(" ")[0]
