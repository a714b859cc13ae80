"""Which registered models a release does not contain, and why, for the output of `release create`."""

from sirena.domain.errors import SirenaError
from sirena.registry.judging import RegisteredJudge
from sirena.registry.releases import Release
from sirena.registry.versions import ModelVersion, Stage, list_models, list_versions


def missing_models(judge: RegisteredJudge, release: Release) -> list[str]:
    """Return a line for each registered model without a version in a release.

    Args:
        judge: the gate, which says why a model's newest version is not in production.
        release: the release.
    """
    present = {reference.partition("/")[0] for reference in release.members.values()}
    absent = [name for name in list_models(judge.registry) if name not in present]
    newest = {name: list_versions(judge.registry, name)[-1:] for name in absent}
    return [
        f"{name}: {_why(judge, versions[0]) if versions else 'it has no version'}" for name, versions in newest.items()
    ]


def _why(judge: RegisteredJudge, version: ModelVersion) -> str:
    try:
        verdict = judge.judge(version, Stage.PRODUCTION)
    except SirenaError as refusal:
        return refusal.text
    if verdict.meets_all_criteria:
        return f"version {version.version} passes the gate; `sirena promote {version} --to production` puts it there"
    refusals = "; ".join(map(str, verdict.refusals))
    return f"the gate refuses version {version.version}: {refusals}"
