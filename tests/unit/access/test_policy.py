"""The policy file means what it says, and what it does not say is refused."""

from pathlib import Path

import pytest

from sirena.access.actions import Action, Role
from sirena.access.errors import PolicyError
from sirena.access.identity import Identity, Means
from sirena.access.policy import Policy, load_policy


def policy_of(tmp_path: Path, text: str) -> Policy:
    """Read a policy from text."""
    path = tmp_path / "policy.toml"
    path.write_text(text, encoding="utf-8")
    return load_policy(path)


def test_model_patterns_bind_requests_that_name_a_model(tmp_path: Path) -> None:
    """Somebody may be given one drug's models only."""
    policy = policy_of(tmp_path, '[[rule]]\nroles=["scientist"]\nactions=["register"]\nmodels=["modelo_AMK_*"]')
    roles = frozenset({Role.SCIENTIST})
    assert policy.permits(roles, Action.REGISTER, "modelo_AMK_NM")
    assert not policy.permits(roles, Action.REGISTER, "modelo_CAZ_NM")
    assert not policy.permits(roles, Action.REGISTER, "MODELO_AMK_NM")
    assert not policy.permits(roles, Action.TRAIN, "modelo_AMK_NM")


def test_an_empty_policy_lets_nobody_do_anything(tmp_path: Path) -> None:
    """Deny by default, but for signing in."""
    policy = policy_of(tmp_path, "rule = []")
    allowed = [action for action in Action if policy.permits(frozenset(Role), action)]
    assert allowed == [Action.PUBLIC]


@pytest.mark.parametrize(
    "text",
    [
        "rule = 3",
        "[[rule]]\nroles=[]\nactions=['browse']",
        "[[rule]]\nroles=['root']\nactions=['browse']",
        "[[rule]]\nroles=['viewer']\nactions=['fly']",
        "[[rule]]\nroles=['viewer']\nactions=['switched_off']",
        "[[rule]]\nroles=['viewer']\nactions=['browse']\nmodel=['x']",
        "[[rule]]\nroles='viewer'\nactions=['browse']",
        "[[rule]]\nroles=['viewer']\nactions=['browse']\nmodels=[]",
        "not toml",
        "[other]\n",
    ],
)
def test_a_policy_with_a_mistake_is_refused_whole(tmp_path: Path, text: str) -> None:
    """A misspelt rule must not silently give less or more."""
    with pytest.raises(PolicyError):
        policy_of(tmp_path, text)


def test_a_missing_policy_is_refused(tmp_path: Path) -> None:
    """A wrong path in SIRENA_POLICY does not fall back on the shipped policy."""
    with pytest.raises(PolicyError, match="cannot be read"):
        load_policy(tmp_path / "none.toml")


def test_scopes_narrow_and_never_widen() -> None:
    """A token for answers answers; a scope its owner has no right to gives nothing."""
    policy = load_policy()
    token = Identity("lis", frozenset({Role.CLINICIAN}), Means.TOKEN, frozenset({Action.ANSWER, Action.TRAIN}))
    assert token.may(policy, Action.ANSWER)
    assert not token.may(policy, Action.PAGES)
    assert not token.may(policy, Action.TRAIN)


def test_a_refusal_tells_what_would_help() -> None:
    """A role that has the right, the names it is for, or that nobody has it."""
    policy = load_policy()
    viewer, scientist = frozenset({Role.VIEWER}), frozenset({Role.SCIENTIST})
    assert policy.remedy(viewer, Action.TRAIN).endswith(": scientist")
    assert policy.remedy(viewer, Action.REGISTER, "modelo_AMK_NM").endswith(": scientist, approver")
    assert policy.remedy(scientist, Action.REGISTER, "thesis").endswith(": modelo_*, panel_*")
    assert "closed to everybody" in policy.remedy(scientist, Action.SWITCHED_OFF)
    assert "no role has it" in Policy(()).remedy(viewer, Action.TRAIN)
