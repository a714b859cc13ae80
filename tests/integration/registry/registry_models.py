"""Small models, tables and verdicts for the registry's tests."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import pytest

from sirena.certification.evidence import GateStage as GateStage
from sirena.certification.evidence import LearntSource
from sirena.certification.gate import CriterionFinding, CriterionOutcome, Verdict
from sirena.cli import main
from sirena.domain.category import Category
from sirena.domain.ground import Ground, GroundKind
from sirena.domain.mic import CODES, Mic
from sirena.domain.truth_table import TruthTable, answer_code
from sirena.registry.connection import Registry
from sirena.registry.releases import Member

ORGANISMS = ("eco", "kpn", "sau")

Log = Callable[[TruthTable], Registry]
"""Logs an amikacin model that answers as a table says."""


def table(column: str, *, susceptible_to: float = 8.0) -> TruthTable:
    """Return a table that calls an MIC susceptible up to a concentration in mg/L, resistant above."""
    concentrations = np.array([Mic.from_code(code).concentration for code in range(CODES)])
    row = np.where(concentrations <= susceptible_to, answer_code(Category.S), answer_code(Category.R))
    cells = np.tile(row.astype(np.uint8), (len(ORGANISMS), 1))
    return TruthTable(column, ORGANISMS, cells, grounds=(Ground(GroundKind.LABORATORY),) * len(ORGANISMS))


@dataclass(frozen=True)
class Trained:
    """What `training` hands over."""

    column: str
    network: Any
    table: TruthTable
    report: dict[str, Any] = field(default_factory=dict)


def verdict(passed: bool) -> Verdict:
    """Return what a gate of one criterion says of a version."""
    outcome = CriterionOutcome.PASSED if passed else CriterionOutcome.FAILED
    finding = CriterionFinding(
        "MonotoneInMic", "because", outcome, "0 reversals" if passed else "3 reversals", "no reversals"
    )
    return Verdict(
        model="modelo_AMK_NM",
        version="1",
        stage=GateStage.PRODUCTION,
        judged_as=LearntSource.REFERENCE,
        findings=(finding,),
        gate="gate.toml",
        gate_digest="",
        author="ana",
        approver="eva",
        embedded=False,
        decided_at="2026-11-22T00:00:00+00:00",
    )


def passes(member: Member) -> Verdict:
    """Let every member of a release pass."""
    return verdict(True)


def wrong(table: TruthTable) -> TruthTable:
    """Return a table that calls resistant MICs susceptible."""
    cells = table.cells.copy()
    cells[cells == answer_code(Category.R)] = answer_code(Category.S)
    return replace(table, cells=np.ascontiguousarray(cells))


def run(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str, str]:
    """Run the command line; return exit code, output and messages."""
    monkeypatch.setattr("sys.argv", ["sirena", *arguments])
    capsys.readouterr()
    with pytest.raises(SystemExit) as left:
        main()
    captured = capsys.readouterr()
    return int(left.value.code or 0), captured.out, captured.err
