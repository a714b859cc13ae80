"""Files as hospitals have them, made with known contents, and mutated files: is any value silently misread?

    PYTHONPATH=src python benchmarks/odd_files.py [--files 300] [--mutations 20000]

A made file mixes a format (delimited in any encoding, workbook, dBASE, SQLite), a way to name columns (WHONET's,
Spanish names with and without method, codes, VITEK's, one row per drug) and a way to write MICs (decimal comma, units,
labels, ratios, sums, thousands, stray quotation marks, title rows, hidden sheets, formats that show a comparator).
Every value must be read right or reported, or the file must be refused. Mutated files (bytes flipped, cut, doubled)
must give a table or one clear message; time and memory are measured.
"""

import argparse
import contextlib
import csv
import io
import random
import resource
import sqlite3
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import polars as pl
import xlsxwriter
from recording import record

from sirena.domain.errors import SirenaError
from sirena.domain.mic import Mic, encode_mics
from sirena.domain.organisms import resolve_many
from sirena.whonet.file import WhonetFile
from sirena.whonet.reading import read_file
from sirena.whonet.writing import write_file

DRUGS = {"AMK": "Amikacina", "CIP": "Ciprofloxacino", "MEM": "Meropenem", "TZP": "Piperacilina/tazobactam"}
DRUGS |= {"SXT": "Trimetoprima/sulfametoxazol", "GEN": "Gentamicina"}
VITEK = {"AMK": "AN", "CIP": "CIP", "MEM": "MEM", "TZP": "TZP", "SXT": "SXT", "GEN": "GM"}
ORGANISMS = {"eco": ("eco", "E. coli", "Escherichia coli", "E. coli BLEE (+)"), "kpn": ("kpn", "K. pneumoniae", "KPN")}
ORGANISMS |= {"pae": ("pae", "Pseudomonas aeruginosa"), "sau": ("sau", "Estafilococo aureus", "SAMR")}
WARDS = ("UCI", "Cirugía", "Médica 2ª", "Urgencias", "Pediatría")
COMMENTS = ("", "", "", "ok", '"hemocultivo x2', '2º" frasco', 'nota "rara"', "a, b; c", "línea\ndoble", "O'Donnell")


@dataclass(frozen=True)
class Made:
    """A made file: its rows as text, and the true value of each MIC cell."""

    headers: list[str]
    rows: list[list[str]]
    mics: dict[str, list[int]]
    """Header → MIC code of each row."""
    organisms: list[str]
    """WHONET code of each row."""


def spell(code: int, drug: str, style: str, chance: random.Random) -> str:
    """Return an MIC in one of the spellings that laboratories use."""
    text = str(Mic.from_code(code))
    sign = text[: len(text) - len(text.lstrip("<>="))]
    number = text[len(sign) :]
    if style == "ratio" and drug == "TZP":
        return f"{sign}{number}/4"
    if style in ("ratio", "sum") and drug == "SXT":
        total = float(number) * 20
        return f"{sign}{total:g}" if style == "sum" else f"{sign}{number}/{float(number) * 19:g}"
    if style == "comma":
        return text.replace(".", ",")
    if style == "label":
        return text + chance.choice((" S", " (R)", " I", "*"))
    if style == "unit":
        return text + chance.choice((" mg/L", " µg/mL", "mg/l"))
    if style == "signs":
        return text.replace("<=", "≤").replace(">=", "≥")
    if style == "thousands" and number in ("1024", "2048", "4096"):
        return f"{sign}{number[0]}.{number[1:]}"
    return text


def header(drug: str, style: str) -> str:
    """Return the header of a column in the style of one of the systems."""
    return {
        "whonet": f"{drug}_NM",
        "cim": f"{DRUGS[drug]} CIM",
        "name": DRUGS[drug],
        "code": drug,
        "vitek": f"{VITEK[drug]}-{DRUGS[drug]}",
    }[style]


def make(chance: random.Random) -> Made:
    """Invent isolates, and choose how they are written."""
    drugs = chance.sample(list(DRUGS), chance.randint(2, 6))
    style, writing = chance.choice(("whonet", "cim", "name", "code", "vitek")), chance.choice(WRITINGS)
    count = chance.randint(1, 30)
    organisms = [chance.choice(list(ORGANISMS)) for _ in range(count)]
    codes = {drug: [_mic(drug, writing, chance) for _ in range(count)] for drug in drugs}
    headers = ["Muestra", "Microorganismo", "Servicio", "Comentario", *(header(drug, style) for drug in drugs)]
    rows = [
        [
            str(1000 + row),
            chance.choice(ORGANISMS[organisms[row]]),
            chance.choice(WARDS),
            chance.choice(COMMENTS),
            *(spell(codes[drug][row], drug, writing, chance) for drug in drugs),
        ]
        for row in range(count)
    ]
    return Made(headers, rows, {header(drug, style): codes[drug] for drug in drugs}, organisms)


WRITINGS = ("plain", "comma", "label", "unit", "signs", "ratio", "sum", "thousands")


def _mic(drug: str, writing: str, chance: random.Random) -> int:
    exponents: tuple[int, ...] = (0, 1, 2, 3, 4) if drug == "SXT" else (-3, -2, -1, 0, 1, 2, 3, 4, 5, 6)
    if writing == "thousands":
        exponents = (9, 10, 11, 2)
    exponent, interval = chance.choice(exponents), chance.choice((0, 0, 0, 1, 2))
    return interval * 28 + exponent + 14


def write_text(made: Made, path: Path, chance: random.Random) -> None:
    """Write delimited text, sometimes with stray quotation marks, or below a title."""
    delimiter = chance.choice(",;\t|")
    stream = io.StringIO(newline="")
    if chance.random() < 0.2:
        stream.write(f"HOSPITAL GENERAL{delimiter}\r\nEnero{delimiter}\r\n")
    rows = [made.headers, *made.rows]
    if chance.random() < 0.3:
        plain = [[cell.replace("\n", " ").replace(delimiter, " ") for cell in row] for row in rows]
        stream.write("".join(delimiter.join(row) + "\r\n" for row in plain))
    else:
        if chance.random() < 0.5:
            csv.writer(stream, delimiter=delimiter, quoting=csv.QUOTE_ALL).writerows(rows)
        else:
            csv.writer(stream, delimiter=delimiter).writerows(rows)
    encoding = chance.choice(("utf-8", "utf-8-sig", "cp1252", "utf-16", "cp850"))
    path.write_bytes(stream.getvalue().encode(encoding, "replace"))


def write_book(made: Made, path: Path, chance: random.Random) -> None:
    """Write a workbook with a title, notes, a hidden sheet of last year, or comparators that only formats show."""
    with xlsxwriter.Workbook(path) as workbook:
        if chance.random() < 0.4:
            old = workbook.add_worksheet("Viejo")
            old.write_row(0, 0, made.headers)
            for number, row in enumerate(made.rows):
                old.write_row(number + 1, 0, [*row[:4], *("1024" for _ in row[4:])])
            old.hide()
        sheet = workbook.add_worksheet("Datos")
        sheet.activate()
        sheet.set_first_sheet()
        top = chance.choice((0, 0, 3))
        if top:
            sheet.write(0, 0, "HOSPITAL GENERAL")
        sheet.write_row(top, 0, made.headers)
        formats = {sign: workbook.add_format({"num_format": f'"{sign}"General'}) for sign in ("<=", ">=")}
        shown = chance.random() < 0.5
        for number, row in enumerate(made.rows):
            for column, cell in enumerate(row):
                figure = cell[2:]
                if shown and column > 3 and cell[:2] in formats and figure.replace(".", "", 1).isdigit():
                    sheet.write_number(top + 1 + number, column, float(figure), formats[cell[:2]])
                else:
                    sheet.write_string(top + 1 + number, column, cell)


def write_dbase(made: Made, path: Path, chance: random.Random) -> None:
    """Write dBASE with names of ten letters, with or without declaring the code page."""
    names = ["SPEC_NUM", "ORGANISM", "WARD", "COMMENT", *(f"{_drug_of(name)}_NM" for name in made.headers[4:])]
    write_file(pl.DataFrame(made.rows, schema=names, orient="row"), path.with_suffix(".dbf"))
    content = bytearray(path.with_suffix(".dbf").read_bytes())
    if chance.random() < 0.5:
        content[29] = 0  # no language driver
    path.write_bytes(content)
    path.with_suffix(".dbf").unlink()


def _drug_of(name: str) -> str:
    return next(drug for drug in DRUGS if name in {header(drug, style) for style in STYLES})


def write_table(suffix: str) -> Callable[[Made, Path, random.Random], None]:
    """Return a function that writes one of Sirena's own formats, with names short enough for it."""

    def write(made: Made, path: Path, chance: random.Random) -> None:  # noqa: ARG001 - one way only
        frame = pl.DataFrame(made.rows, schema=made.headers, orient="row")
        write_file(frame, path.with_suffix(suffix))
        path.with_suffix(suffix).rename(path)

    return write


def write_long(made: Made, path: Path, chance: random.Random) -> None:
    """Write one row per drug."""
    delimiter = chance.choice(";\t")
    with path.open("w", encoding="utf-8", newline="") as stream:
        writer = csv.writer(stream, delimiter=delimiter)
        writer.writerow(["Muestra", "Microorganismo", "Antibiótico", "CMI"])
        for row in made.rows:
            for name, cell in zip(made.headers[4:], row[4:], strict=True):
                writer.writerow([row[0], row[1], name.removesuffix(" CIM").removesuffix("_NM").split("-", 1)[-1], cell])


def write_database(made: Made, path: Path, chance: random.Random) -> None:
    """Write SQLite, sometimes with the header of a write-ahead log."""
    connection = sqlite3.connect(path)
    names = ", ".join('"' + name + '" TEXT' for name in made.headers)
    connection.execute(f"CREATE TABLE Isolates ({names})")
    marks = ", ".join("?" for _ in made.headers)
    connection.executemany(f"INSERT INTO Isolates VALUES ({marks})", made.rows)
    connection.commit()
    connection.close()
    if chance.random() < 0.3:
        content = bytearray(path.read_bytes())
        content[18:20] = b"\x02\x02"
        path.write_bytes(content)


WRITERS: dict[str, Callable[[Made, Path, random.Random], None]] = {
    "text": write_text,
    "workbook": write_book,
    "long": write_long,
    "database": write_database,
    "parquet": write_table(".parquet"),
    "dbase": write_dbase,
}
SHARES = {"text": 6, "workbook": 3, "long": 2, "database": 1, "parquet": 1, "dbase": 2}


def judge(made: Made, file: WhonetFile, kind: str) -> Counter[str]:
    """Count the values that were read right, reported, and silently misread."""
    outcome: Counter[str] = Counter()
    if file.frame.height != len(made.rows):
        return Counter({"silently wrong": len(made.rows) * len(made.mics)})
    organism = file.require_organism()
    texts = file.frame[organism].to_list()
    others = file.readings_of(organism, sorted({text for text in texts if text}))
    codes = resolve_many([others.get(text, text) if text else None for text in texts])
    outcome["organisms right"] = sum(found == true for found, true in zip(codes, made.organisms, strict=True))
    wrong = [found for found, true in zip(codes, made.organisms, strict=True) if found and found != true]
    outcome["silently wrong"] += len(wrong)
    named = {column.drug: head for head, column in file.mic_columns.items()}
    drugs = {head: _drug_of(head) for head in made.mics}
    problems = {problem.column for problem in file.problems}
    for head, true_codes in made.mics.items():
        found = named.get(drugs[head])
        if found is None:
            outcome["column left out and listed"] += len(true_codes)
            continue
        cells = file.frame[found].to_list()
        readings = file.readings_of(found, sorted({cell for cell in cells if cell}))
        read = encode_mics([readings.get(cell, cell) if cell else None for cell in cells], drugs[head]).tolist()
        for code, true in zip(read, true_codes, strict=True):
            if code == true:
                outcome["read right"] += 1
            elif code < 0 and found in problems:
                outcome["reported"] += 1
            else:
                outcome["silently wrong"] += 1
    if outcome["silently wrong"]:
        print(f"silently wrong: {kind} {made.headers[4:]}", flush=True)
    return outcome


STYLES = ("whonet", "cim", "name", "code", "vitek")


def read_made_files(count: int, folder: Path) -> Counter[str]:
    """Make files, read them, and judge the result."""
    outcome: Counter[str] = Counter()
    for number in range(count):
        chance = random.Random(number)
        kind = chance.choices(list(SHARES), list(SHARES.values()))[0]
        made, path = make(chance), folder / "file"
        try:
            WRITERS[kind](made, path, chance)
        except SirenaError:  # a name too long for dBASE
            outcome["files not made"] += 1
            continue
        try:
            outcome += judge(made, read_file(path), kind)
            outcome["files read"] += 1
        except SirenaError as refusal:
            outcome["files refused"] += 1
            print(f"refused: {kind}: {str(refusal).removeprefix(str(path))}", flush=True)
        path.unlink()
    return outcome


def read_mutated_files(count: int, folder: Path) -> dict[str, float]:
    """Read files with bytes flipped, cut and doubled; an error that is not Sirena's ends the benchmark."""
    originals: list[bytes] = []
    chance = random.Random(1)
    for kind, writer in WRITERS.items():
        for number in range(6):
            seeded = random.Random(100 * number + len(kind))
            with contextlib.suppress(SirenaError):
                writer(make(seeded), folder / "file", seeded)
                originals += [(folder / "file").read_bytes()] * (1 if kind == "workbook" else 20)
            (folder / "file").unlink(missing_ok=True)
    outcome = {"tables": 0.0, "refused": 0.0, "slowest_seconds": 0.0}
    for _ in range(count):
        data = bytearray(chance.choice(originals))
        for _ in range(chance.choice((1, 1, 3, 30))):
            place = chance.randrange(len(data))
            match chance.randrange(3):
                case 0:
                    data[place] = chance.randrange(256)
                case 1:
                    data = data[:place] if chance.random() < 0.3 else data[:place] + data[place + 1 :]
                case 2:
                    data[place:place] = data[place : place + chance.choice((1, 40, 400))]
            data = data or bytearray(b" ")
        (folder / "file").write_bytes(data)
        begun = time.perf_counter()
        try:
            file = read_file(folder / "file")
            _ = file.problems
            outcome["tables"] += 1
        except SirenaError:
            outcome["refused"] += 1
        outcome["slowest_seconds"] = max(outcome["slowest_seconds"], round(time.perf_counter() - begun, 2))
    usage = max(resource.getrusage(who).ru_maxrss for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    outcome["peak_mib"] = usage // 1024
    return outcome


def main() -> None:
    """Run the benchmark."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--files", type=int, default=300)
    parser.add_argument("--mutations", type=int, default=20_000)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        made = read_made_files(options.files, Path(folder))
        print(dict(made), flush=True)
        mutated = read_mutated_files(options.mutations, Path(folder))
    print(mutated, flush=True)
    record(
        "odd_files",
        {"made": dict(made), "mutated": mutated},
        headline=(
            f"{options.files} made files: {made['silently wrong']} values silently wrong, {made['read right']} right, "
            f"{made['reported'] + made['column left out and listed']} reported, {made['files refused']} files refused; "
            f"{options.mutations:,} mutated files: no crash, at most {mutated['slowest_seconds']} s, "
            f"{mutated['peak_mib']:.0f} MiB"
        ),
    )


if __name__ == "__main__":
    main()
