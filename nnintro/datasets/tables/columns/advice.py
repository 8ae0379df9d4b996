"""Say of texts that are nearly numbers which keys of the config would read them."""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from nnintro.config.datasets.table import TableDataset
from nnintro.datasets.tables.cells import MISSING, is_text
from nnintro.datasets.tables.columns.column import FileColumn, training_file
from nnintro.datasets.tables.spelling import Marks, Spelling
from nnintro.wording import listed, quoted

_AROUND = re.compile(
    r"(?P<before>[^0-9]*?)(?P<sign>[+-]?)(?P<between>[^0-9.,+-]*?)"
    r"(?P<core>[.,]?[0-9](?:[0-9.,'’_ \u00a0\u2009\u202f]*[0-9])?[.,]?(?:[eE][+-]?[0-9]+)?)(?P<behind>[^0-9]*)"
)
"""A number, and what stands around it."""
_FORTRAN = re.compile(r"[+-]?[0-9]*\.[0-9]*[dD][+-]?[0-9]+")
PLAIN, DECIMAL_COMMA, POINTS_IN_GROUPS = Marks(), Marks(","), Marks(",", ".")
_MARKS = [
    Marks(".", ","), DECIMAL_COMMA, POINTS_IN_GROUPS,
    *(Marks(decimal, thousands) for thousands in " '" for decimal in ".,"), Marks(".", "_"),
]  # fmt: skip
"""Marks that are in use; '1,5' has the second, '1.234,5' the third."""
LOOKED_AT = 100_000
"""Rows of other columns, to see how these are written."""
MOST_BESIDE = 4
"""Different texts around the numbers of one column."""
MANY = 20
"""Different numbers with letters beside them, from which on they are hardly categories."""
_NO_VALUE = re.compile(
    r"(?!---)[^\w\s]+|n\.?a\.?|n\.?d\.?|k\.?a\.?|none|missing|unknown|no ?data|nil|null|\\N"
    r"|#(DIV/0|REF|VALUE|NAME|NUM|NULL|WERT|BEZUG|ZAHL)[!?]|-?(1\.#)?(ind|qnan|snan|inf)|nan\(.*\)",
    re.I,
)
_SLIPS = [
    (re.compile(r"\((.*)\)"), r"-\1", "parentheses stand for a minus sign in accounts: write -5 in place of (5)"),
    (re.compile(r"[\u2212\u2013](.*)"), r"-\1", "its minus sign is another character than -: replace it"),
    (re.compile(r"(.*[0-9])-"), r"-\1", "write the minus sign in front of the number"),
]
"""Ways to write numbers that no key reads: how they look, what is meant, and what to do."""


@dataclass(frozen=True)
class Numbers:
    """A column of texts that are numbers, if marks within them and units beside them are understood."""

    name: str
    units: frozenset[frozenset[str]]
    """What stands beside the numbers: of each all together."""
    cores: Sequence[str]
    """The numbers without that."""

    @classmethod
    def of(cls, name: str, texts: Sequence[str]) -> Numbers | None:
        """None where one of the texts is something else."""
        parts = [_AROUND.fullmatch(text.strip()) for text in texts]
        found = [part for part in parts if part is not None]
        if not found or len(found) < len(texts) or not _are_quantities(found):
            return None
        around = [[part[place].strip() for place in ("before", "between", "behind")] for part in found]
        units = frozenset(frozenset(filter(None, texts)) for texts in around)
        numbers = cls(name, units, [part["core"] for part in found])
        return numbers if any(map(numbers.read_by, (PLAIN, *_MARKS))) else None

    @property
    def beside(self) -> frozenset[str]:
        """All that stands beside numbers."""
        return frozenset().union(*self.units)

    @property
    def are_of_one_unit(self) -> bool:
        """Whether what stands beside them says nothing: 5 K and 5 M are different numbers, and so are 5 % and 5."""
        several = {unit for unit in self.units if unit or "%" in self.beside}
        return len(several) < 2

    def read_by(self, marks: Marks) -> bool:
        return all(marks.numeral(core) is not None for core in self.cores)

    @property
    def groups_by_points(self) -> str | None:
        """A number as 1.234, which may be 1234, where all that have a point are so; else None."""
        pointed = next((core for core in self.cores if "." in core), None)
        return pointed if self.read_by(PLAIN) and self.read_by(POINTS_IN_GROUPS) else None


def advice(source: FileColumn, texts: Sequence[str]) -> str | None:
    """``add decimal: ','``: what makes numbers of all the different texts of a column; None where nothing does."""
    if all(map(_FORTRAN.fullmatch, texts)):
        return "numbers are written with E, not with Fortran's D: replace it"
    own = Numbers.of(source.name, texts)
    if own is None:
        return _slip(texts)
    if own.are_of_one_unit:
        return _proposal(own, source)
    units = listed(sorted(own.beside))
    return f"the numbers have different units ({units}), and no key converts them: write them in one"


def _proposal(own: Numbers, source: FileColumn) -> str | None:
    """The keys with which a column of one unit is numbers, and the others too."""
    dataset = source.dataset
    found = (Numbers.of(*column) for column in _others(source))
    columns = [own, *(column for column in found if column is not None and column.are_of_one_unit)]
    said = Spelling.of(dataset)
    readings, verb = _readings(own, columns, said), "set" if said.has_marks else "add"
    if readings[:2] == _MARKS[:2]:  # 1,234 may be either
        core = own.cores[0]
        both = [_keys(marks, columns, dataset) for marks in readings[:2]]
        return f"{verb} {_either(core, core.replace(',', '.'), both)}"
    if readings[0] == DECIMAL_COMMA:
        for column in columns:
            if fraction := column.groups_by_points:
                both = [_keys(marks, columns, dataset) for marks in (POINTS_IN_GROUPS, DECIMAL_COMMA)]
                return f"{verb} {_either(fraction, fraction, both, '' if column is own else column.name)}"
    keys = _keys(readings[0], columns, dataset)
    return f"{verb} {keys}" if keys else None


def _others(source: FileColumn) -> Iterator[tuple[str, list[str]]]:
    """The other columns of texts, each with different texts of its cells; the file is read anew.

    In a text file numbers count as texts, spelled as the file has them; in other files they are left out.
    """
    import pyarrow.compute as pc

    dataset, table = source.dataset, training_file(source.dataset)
    aside = {source.name, *dataset.exclude, *dataset.categorical, *dataset.text, *dataset.dates}
    wanted = [*(table.names if dataset.inputs is None else dataset.inputs), *dataset.targets]
    names = list(dict.fromkeys(name for name in wanted if name not in aside))
    table.load(names, names)
    for name in names:
        if is_text(table.type(name)):
            cells = pc.unique(table.column(name).slice(0, LOOKED_AT)).to_pylist()
            yield name, [cell.strip() for cell in cells if cell is not None and cell.strip() not in MISSING]


def _slip(texts: Sequence[str]) -> str | None:
    """What to do where the texts are numbers but for a way of writing that no key reads."""
    for pattern, meant, remedy in _SLIPS:
        changed = [match.expand(meant) if (match := pattern.fullmatch(text.strip())) else text for text in texts]
        if changed == list(texts) or (found := Numbers.of("", changed)) is None:
            continue
        # Few whole ones may be marks of a school: 1, 2-, 3.
        if len(found.cores) >= MANY or any("." in core or "," in core for core in found.cores):
            return remedy
    return None


def _either(core: str, fraction: str, keys: Sequence[str], column: str = "") -> str:
    where = f" in column {quoted(column)}" if column else ""
    return f"{keys[0]} if {core}{where} is {re.sub('[.,]', '', core)}, {keys[1]} if it is {fraction}"


def _readings(own: Numbers, columns: Sequence[Numbers], said: Spelling) -> list[Marks]:
    """The marks with which a column's texts are numbers, the likeliest first."""
    present = said.marks(own.name)
    if own.read_by(PLAIN):
        return [Marks(present.decimal, present.thousands)]  # there are units, or what is said is of other columns
    fitting = [marks for marks in _MARKS if own.read_by(marks)]
    odd = [column for column in columns if not column.read_by(PLAIN)]
    return [marks for marks in fitting if all(column.read_by(marks) for column in odd)] or fitting


def _are_quantities(parts: Sequence[re.Match[str]]) -> bool:
    """Whether what stands beside the numbers are signs and units.

    A number with a letter beside it may be a category (A1, 2nd, 3 doors); but not where they are many, or have
    fractions.
    """
    beside = {part[name].strip() for part in parts for name in ("before", "between", "behind")}
    letters = set("".join(beside)) - set(" ")
    if len(beside) > MOST_BESIDE + 1 or not all(map(_is_of_a_unit, letters)):
        return False
    cores = {part["core"] for part in parts}
    have_fractions = all("." in core or "," in core for core in cores)
    if any(letter.isalpha() for part in parts for letter in part["before"] + part["between"]):
        return have_fractions
    return have_fractions or len(cores) >= MANY or not any(map(str.isalpha, letters))


def _is_of_a_unit(letter: str) -> bool:
    return letter.isalpha() or unicodedata.category(letter) == "Sc" or letter in "%‰°²³./"


def _keys(marks: Marks, columns: Sequence[Numbers], dataset: TableDataset) -> str:
    """``decimal: ',' and strip: ['$']``: what the section does not say yet."""
    alike = [column.name for column in columns if column.read_by(marks) and not column.read_by(PLAIN)]
    is_mixed = any(column.read_by(PLAIN) and not column.read_by(marks) for column in columns)
    names = alike if is_mixed else None
    lines: list[str] = []
    if marks.decimal != PLAIN.decimal or dataset.decimal:
        lines += _line("decimal", marks.decimal, dataset.decimal, names)
    if marks.thousands:
        lines += _line("thousands", marks.thousands, dataset.thousands, names)
    read = [column for column in columns if column.read_by(marks) or column.read_by(PLAIN)]
    if new := sorted({text for column in read for text in column.beside} - set(dataset.strip)):
        lines.append(f"strip: [{', '.join(map(_in_quotes, [*dataset.strip, *new]))}]")
    return " and ".join(lines)


def _line(key: str, mark: str, said: str | Mapping[str, str] | None, names: Sequence[str] | None) -> Iterator[str]:
    """A key with this mark for some columns, or for all; nothing where that is said or goes without saying.

    Numbers with points of other columns are read otherwise: names are given then.
    """
    known: dict[str, str] = dict(said) if isinstance(said, Mapping) else {}
    if names is None and not known:
        if said != mark:
            yield f"{key}: {mark!r}"
        return
    wanted = {**known, **dict.fromkeys(names or known, mark)}
    if not wanted:
        yield f"{key}: '.'"
    elif wanted != said:
        yield f"{key}: {{{', '.join(f'{as_key(name)}: {value!r}' for name, value in wanted.items())}}}"


def as_key(column: str) -> str:
    """A column's name as a key in YAML."""
    return column if column.isidentifier() and column.isascii() else json.dumps(column, ensure_ascii=False)


def stands_for_nothing(values: Sequence[str]) -> bool:
    """Whether these texts among numbers look like words for no value."""
    return all(_NO_VALUE.fullmatch(value.strip()) for value in values)


def add_missing(values: Sequence[str], dataset: TableDataset) -> str | None:
    """``add missing_values: ['-'] if it means missing``; None where the texts are many."""
    texts = sorted({value.strip() for value in values})
    if len(texts) > MOST_BESIDE or isinstance(dataset.missing_values, dict):
        return None
    said = [str(word) for word in dataset.missing_values]
    words = ", ".join(map(_in_quotes, [*said, *(text for text in texts if text not in said)]))
    return f"{'set' if said else 'add'} missing_values: [{words}] if it means missing"


def _in_quotes(text: str) -> str:
    """As YAML has it: in single quotes, within which a backslash is a backslash."""
    return repr(text) if "\\" not in text else "'" + text.replace("'", "''") + "'"
