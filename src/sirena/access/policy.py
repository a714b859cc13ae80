"""The access policy: which role may do which action with which model. What no rule allows is refused."""

import re
import tomllib
from dataclasses import dataclass
from fnmatch import fnmatchcase
from importlib.resources import files
from pathlib import Path
from typing import Any, Final

from sirena.access.actions import Action, Role
from sirena.access.errors import PolicyError

_NEVER: Final = frozenset({Action.SWITCHED_OFF, Action.PUBLIC})
"""Actions that no rule may grant: what is switched off is refused to all, what is public needs no rule."""
_EVERY: Final = ("*",)
_PLAIN_NAME: Final = re.compile(r"[A-Za-z0-9_.-]{1,128}")
_FIELDS: Final = frozenset({"why", "roles", "actions", "models"})


@dataclass(frozen=True)
class PolicyRule:
    """A rule of the access policy: it lets some roles do some actions, with all models or only with some."""

    why: str
    """Reason of the rule, for people who review the policy."""
    roles: frozenset[Role]
    actions: frozenset[Action]
    models: tuple[str, ...] = _EVERY
    """Patterns of model names, which match plain names only; a request that names no model is not limited by them."""

    def allows(self, role: Role, action: Action, model: str | None) -> bool:
        """Tell whether this rule lets a role do an action with a model."""
        return (
            role in self.roles
            and action in self.actions
            and (model is None or self.models == _EVERY or self._matches(model))
        )

    def _matches(self, model: str) -> bool:
        # a pattern means names as people write them, not what else begins alike: markup, terminal codes, line ends
        return bool(_PLAIN_NAME.fullmatch(model)) and any(fnmatchcase(model, pattern) for pattern in self.models)


@dataclass(frozen=True)
class Policy:
    """All rules of the policy. Their order does not matter, because rules only allow."""

    rules: tuple[PolicyRule, ...]

    def permits(self, roles: frozenset[Role], action: Action, model: str | None = None) -> bool:
        """Tell whether any rule lets an account with these roles do an action.

        Args:
            roles: roles of the account.
            action: the action to be done.
            model: registered model that the request names; None if it names no model.
        """
        if action is Action.PUBLIC:
            return True
        if action in _NEVER:
            return False
        return any(rule.allows(role, action, model) for rule in self.rules for role in roles)

    def remedy(self, roles: frozenset[Role], action: Action, model: str | None = None) -> str:
        """Return a hint that says how an account with these roles could get to do an action.

        Args:
            roles: roles of the account.
            action: the action that was refused.
            model: registered model that the request names; None if it names no model.
        """
        if action is Action.SWITCHED_OFF:
            return "Sirena does not use this part of MLflow, so it is closed to everybody"
        if model is not None and self.permits(roles, action):
            rules = [rule for rule in self.rules if action in rule.actions and roles & rule.roles]
            return (
                f"the model is called otherwise: {', '.join(sorted({name for rule in rules for name in rule.models}))}"
            )
        holders = [role.value for role in Role if self.permits(frozenset({role}), action, model)]
        if not holders:
            return "no role has it here; SIRENA_POLICY says which have what"
        return f"ask an administrator for a role that has it: {', '.join(holders)}"


def load_policy(path: Path | None = None) -> Policy:
    """Read a policy file.

    Args:
        path: TOML file; None means the policy that comes with Sirena.

    Raises:
        PolicyError: the file is missing, is not TOML, or names a role, action or field that does not exist.
    """
    name = str(path) if path else "the shipped policy"
    try:
        text = (path or files("sirena.access").joinpath("policy.toml")).read_text(encoding="utf-8")
        document = tomllib.loads(text)
    except (OSError, UnicodeDecodeError) as error:
        raise PolicyError(f"{name} cannot be read", hint="SIRENA_POLICY names a TOML file") from error
    except tomllib.TOMLDecodeError as error:
        raise PolicyError(f"{name} is not TOML: {error}") from error
    rules = document.get("rule")
    if set(document) != {"rule"} or not isinstance(rules, list):
        raise PolicyError(f"{name} holds something else than [[rule]]")
    return Policy(tuple(_rule(rule, f"{name}, rule {number}") for number, rule in enumerate(rules, start=1)))


def _rule(document: dict[str, Any], where: str) -> PolicyRule:
    if unknown := set(document) - _FIELDS:
        raise PolicyError(f"{where}: unknown field {', '.join(sorted(unknown))}")
    for field in ("roles", "actions"):
        if not document.get(field):
            raise PolicyError(f"{where}: {field} is missing or empty")
    for field in ("roles", "actions", "models"):
        values = document.get(field, [])
        if not isinstance(values, list) or not all(isinstance(value, str) for value in values):
            raise PolicyError(f"{where}: {field} is a list of names")
    if document.get("models") == []:
        raise PolicyError(f"{where}: models is empty; leave it out to mean every model")
    try:
        roles = frozenset(Role(role) for role in document["roles"])
        actions = frozenset(Action(action) for action in document["actions"])
    except ValueError as error:
        raise PolicyError(
            f"{where}: {error}",
            hint=f"roles: {', '.join(Role)}; actions: {', '.join(set(Action) - _NEVER)}",
        ) from error
    if forbidden := actions & _NEVER:
        raise PolicyError(f"{where}: {', '.join(forbidden)} cannot be granted")
    return PolicyRule(str(document.get("why", "")), roles, actions, tuple(document.get("models", _EVERY)))
