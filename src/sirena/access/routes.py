"""The route table, which says what action a request needs; almost every look-up takes constant time."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Final

from sirena.access.actions import Action
from sirena.access.errors import ForbiddenError, PolicyError
from sirena.access.paths import RequestTarget

_API_PREFIXES: Final = ("/api", "/ajax-api")
_PLACE: Final = re.compile(r"\{(?P<name>\w+)(?P<rest>:path)?\}")
_COLUMNS: Final = 4
_METHODS: Final = frozenset({"GET", "POST", "PUT", "PATCH", "DELETE"})


@dataclass(frozen=True)
class Route:
    """One line of the route table: method, path and the action that a request needs."""

    methods: tuple[str, ...]
    path: str
    """Path, with places in braces: ``/models/{name}/invocations``."""
    action: Action
    model: str
    """Where the request names its model: ``-`` (nowhere), ``{place}``, ``?parameter`` or ``body``."""

    @property
    def decided_by_body(self) -> bool:
        """True if only the body says what the request does, so that stage control must decide on the request."""
        return self.model == "body"


@dataclass(frozen=True)
class RequestedRoute:
    """The route that a request asks for, and the model that it names."""

    route: Route
    model: str | None
    """Registered model that the request names in its path or query; None if it names no model."""

    @property
    def action(self) -> Action:
        """The action that the route needs."""
        return self.route.action


class RouteTable:
    """The routes that the entry knows, each with the action that it needs; a request for any other route is refused."""

    def __init__(self, routes: tuple[Route, ...]) -> None:
        self.routes = routes
        self._exact: dict[tuple[str, str], Route] = {}
        self._patterns: dict[str, list[tuple[re.Pattern[str], Route]]] = {}
        for route in routes:
            for method in route.methods:
                if _PLACE.search(route.path):
                    self._patterns.setdefault(method, []).append((_pattern(route.path), route))
                elif self._exact.setdefault((method, route.path), route) is not route:
                    raise PolicyError(f"the route table holds {method} {route.path} twice")

    def classify(self, method: str, target: RequestTarget) -> RequestedRoute:
        """Return the route that a request asks for.

        Args:
            method: method in the request line; HEAD counts as GET.
            target: path and query.

        Raises:
            ForbiddenError: the route is not in the table.
        """
        method = "GET" if method == "HEAD" else method
        route = self._exact.get((method, target.path))
        if route is not None:
            return RequestedRoute(route, _model(route, {}, target.query))
        for pattern, candidate in self._patterns.get(method, ()):
            places = pattern.fullmatch(target.path)
            if places:
                return RequestedRoute(candidate, _model(candidate, places.groupdict(), target.query))
        raise ForbiddenError(
            "this route is not known at the entry, and what is not known is refused",
            hint="see method and path; /docs lists the service's own",
        )


@cache
def shipped_routes() -> RouteTable:
    """Return the route table that comes with Sirena.

    Raises:
        PolicyError: a line of the table cannot be read.
    """
    return read_routes(files("sirena.access").joinpath("routes.txt").read_text(encoding="utf-8"))


def read_routes(text: str) -> RouteTable:
    """Read a route table.

    Raises:
        PolicyError: a line cannot be read, or a route occurs twice.
    """
    routes: list[Route] = []
    for number, line in enumerate(text.splitlines(), start=1):
        fields = line.partition("#")[0].split()
        if not fields:
            continue
        if len(fields) != _COLUMNS:
            raise PolicyError(f"route table, line {number}: {_COLUMNS} columns expected, {len(fields)} found")
        methods = tuple(fields[0].split(","))
        if not set(methods) <= _METHODS or fields[2] not in set(Action):
            raise PolicyError(f"route table, line {number}: unknown method or action")
        paths = (
            [fields[1].replace("{api}", prefix) for prefix in _API_PREFIXES] if "{api}" in fields[1] else fields[1:2]
        )
        routes += [Route(methods, path, Action(fields[2]), fields[3]) for path in paths]
    return RouteTable(tuple(routes))


def body_route_locations() -> list[str]:
    """Return the paths whose requests NGINX sends to stage control, which reads the body and decides itself."""
    return sorted({route.path for route in shipped_routes().routes if route.decided_by_body})


def _pattern(path: str) -> re.Pattern[str]:
    parts: list[str] = []
    end = 0
    for place in _PLACE.finditer(path):
        parts.append(re.escape(path[end : place.start()]))
        parts.append(f"(?P<{place['name']}>{'.+' if place['rest'] else '[^/]+'})")
        end = place.end()
    return re.compile("".join(parts) + re.escape(path[end:]))


def _model(route: Route, places: Mapping[str, str], query: Mapping[str, str]) -> str | None:
    if route.model.startswith("{"):
        return places[route.model[1:-1]]
    if route.model.startswith("?"):
        return query.get(route.model[1:])
    return None
