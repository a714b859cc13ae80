"""``sirena certify``: comparing all answers of a registered model with a guideline edition."""

import json
from pathlib import Path
from typing import Annotated

import typer

from sirena.cli.json_document import AsJson, print_json
from sirena.cli.voice import say
from sirena.domain.errors import UsageError
from sirena.domain.language import Language


def register(app: typer.Typer) -> None:
    """Add ``sirena certify`` to the command line."""

    @app.command(
        epilog='Example: sirena certify modelo_AMK_NM@production --guideline "CLSI 2026" --output certificates'
    )
    def certify(
        model: Annotated[
            str, typer.Argument(help="Model version: MODEL/VERSION or MODEL@STAGE; MODEL alone is its newest version.")
        ],
        guideline: Annotated[
            str,
            typer.Option(
                help="Guideline edition to compare with; by default the newest in force of the model's guideline."
            ),
        ] = "",
        overlay: Annotated[
            Path | None,
            typer.Option(help="File of the hospital's own rules, which take precedence over the edition (CSV)."),
        ] = None,
        output: Annotated[
            Path | None,
            typer.Option("--output", "-o", help="Folder to write the certificate to, as JSON and as an HTML page."),
        ] = None,
        chart: Annotated[
            Path | None,
            typer.Option(
                help="File to write: a chart of the model's categories, organisms by dilutions; .svg, .png or .pdf."
            ),
        ] = None,
        language: Annotated[Language, typer.Option(help="Language of the chart.")] = Language.SPANISH,
        trust: Annotated[
            str,
            typer.Option(
                help="SHA-256 of a model that Sirena did not make; with it you allow the model's code to run."
            ),
        ] = "",
        disagreements: Annotated[int, typer.Option(min=0, help="How many differences to print.")] = 20,
        every: Annotated[bool, typer.Option("--all", help="Print all differences.")] = False,
        as_json: AsJson = False,
    ) -> None:
        """Compare a model with a guideline edition, exhaustively.

        The model is tested with every organism, dilution and comparator (<=, =, >), and every difference from the
        edition is shown. The command works on any registered model with the inputs ORGANISM and a test column, whether
        Sirena made it or not. The certificate is stored with the model version, and from then on the promotion gate
        uses it.
        """
        from sirena.acts.certifying import certify as certify_recorded
        from sirena.acts.certifying import edition_to_certify
        from sirena.certification.grid_chart import grid_chart
        from sirena.cli.certificate_summary import summary
        from sirena.registry.connection import connect
        from sirena.registry.versions import find_version
        from sirena.settings.catalogue import load_settings
        from sirena.stewardship.drawing import draw
        from sirena.whonet.writing import check_place, replacing

        if output is not None:
            output.mkdir(parents=True, exist_ok=True)
            check_place(output / "certificate.json")
        form = _chart_form(chart) if chart is not None else ""
        settings = load_settings()
        registry = connect(settings)
        version = find_version(registry, model)
        edition = edition_to_certify(settings, version, guideline, overlay)
        attached = certify_recorded(registry, version, edition, trusted=trust)
        certificate, document = attached.certificate, attached.document
        if as_json:
            print_json(document)
        else:
            say(summary(certificate, len(certificate.disagreements) if every else disagreements))
        if output is not None:
            base = output / f"{version.name}-{version.version}"
            for suffix, text in (
                (".json", json.dumps(document, indent=1, ensure_ascii=False)),
                (".html", attached.page),
            ):
                with replacing(base.with_suffix(suffix)) as draft:
                    draft.write_text(text, encoding="utf-8")
            say(f"written: {base}.json, {base}.html", err=as_json)
        if chart is not None:
            with replacing(chart) as draft:
                draft.write_bytes(draw(grid_chart(certificate, language).specification, form))
            say(f"written: {chart}", err=as_json)


def _chart_form(chart: Path) -> str:
    """Return the format of a picture by its suffix.

    Raises:
        UsageError: no format of pictures has this suffix.
        UnavailableFileError: the file cannot be written there.
    """
    from sirena.stewardship.drawing import FORMATS
    from sirena.whonet.writing import check_place

    form = chart.suffix.lower().removeprefix(".")
    if form not in FORMATS:
        raise UsageError(
            f"{chart}: charts are not written with this suffix", hint=f"Use one of .{', .'.join(FORMATS)}."
        )
    check_place(chart)
    return form
