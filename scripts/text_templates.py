"""Templates for an expression of text in the source, with ``%(name)s`` in place of values."""

import ast
from itertools import product
from math import prod

_MOST_WAYS = 12
Way = tuple[str | ast.expr, ...]
"""One way a text can be spelled: literal parts, and expressions for values."""


def templates(node: ast.expr) -> list[str]:
    """Return the templates of an expression; none if its text is computed elsewhere."""
    return [_with_places(parts) for parts in spelled(node)]


def spelled(node: ast.expr) -> list[Way]:
    """Return the possible spellings of an expression of text; none if its text is computed elsewhere."""
    if isinstance(node, ast.Constant):
        return [(node.value,)] if isinstance(node.value, str) else []
    if isinstance(node, ast.IfExp):
        return _either(node.body, node.orelse)
    if isinstance(node, ast.BoolOp) and isinstance(node.op, ast.Or):
        return _either(*node.values)
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add):
        if not (spelled(node.left) or spelled(node.right)):
            return []
        return [left + right for left, right in product(_or_value(node.left), _or_value(node.right))]
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in {"rstrip", "strip"}:
        return spelled(node.func.value)
    if not isinstance(node, ast.JoinedStr):
        return []
    parts = [part.value if isinstance(part, ast.FormattedValue) else part for part in node.values]
    ways = [_or_value(part) for part in parts]
    if prod(map(len, ways)) > _MOST_WAYS:
        ways = [[(part,)] if not isinstance(part, ast.Constant) else way for part, way in zip(parts, ways, strict=True)]
    return [tuple(piece for way in choice for piece in way) for choice in product(*ways)]


def _either(*nodes: ast.expr) -> list[Way]:
    """Return the spellings of several expressions; none if all are computed elsewhere."""
    if not any(spelled(node) for node in nodes):
        return []
    return [way for node in nodes for way in _or_value(node)]


def _or_value(node: ast.expr) -> list[Way]:
    return spelled(node) or [(node,)]


def _with_places(parts: Way) -> str:
    numbers: dict[str, int] = {}
    has_values = any(not isinstance(part, str) for part in parts)
    text = ""
    for part in parts:
        if isinstance(part, str):
            text += part.replace("%", "%%") if has_values else part
        else:
            name = _place_name(part)
            numbers[name] = numbers.get(name, 0) + 1
            text += f"%({name}{numbers[name] if numbers[name] > 1 else ''})s"
    return text.strip()


def _place_name(node: ast.expr) -> str:
    name = name_of(node.func) if isinstance(node, ast.Call) else name_of(node)
    if name in {"join", "map", "listed"}:
        return "names"
    if name in {"len", "sum"}:
        return "count"
    return name.strip("_").lower() or "value"


def name_of(node: ast.expr) -> str:
    """Return the last word of a name: ``text`` for ``error.text``; empty for other expressions."""
    if isinstance(node, ast.Attribute):
        return node.attr
    return node.id if isinstance(node, ast.Name) else ""
