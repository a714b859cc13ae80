"""A certificate in a few lines of a terminal."""

from sirena.certification.certificate import Certificate


def summary(certificate: Certificate, most: int) -> str:
    """Return verdict, counts and the first disagreements.

    Args:
        certificate: what to tell.
        most: disagreements to name; ranges of neighbouring MICs count once.
    """
    subject = certificate.subject
    rows = len(certificate.keys)
    lines = [
        f"{subject.model}/{subject.version} against {certificate.edition}: "
        + ("total agreement" if certificate.total_agreement else f"{certificate.disagreeing:,} questions disagree"),
        f"  asked {certificate.asked:,} questions of {rows:,} organisms and sites × 41 MICs × 5 comparators",
        f"  the edition states a category for {certificate.compared:,}; agreeing {certificate.agreements:,}"
        + (f" ({certificate.agreement_share:.2%})" if certificate.compared else ""),
        f"  monotone in MIC: {'yes' if certificate.monotone else f'NO, {len(certificate.reversals)} reversals'}",
        f"  S where the edition says R: {sum(entry.cells for entry in certificate.unsafe):,}",
    ]
    lines += [f"  {kind.value}: {count:,}" for kind, count in certificate.kinds.items() if count]
    lines += [f"  refuses {count:,}: {reason}" for reason, count in certificate.refusals.items()]
    lines += [f"    {entry}" for entry in certificate.disagreements[:most]]
    hidden = len(certificate.disagreements) - most
    if hidden > 0:
        lines.append(f"    … and {hidden:,} more (all of them with --output)")
    return "\n".join(lines)
