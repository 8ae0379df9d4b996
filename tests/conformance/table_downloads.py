"""Well-known tables in the layouts and spellings in which they are downloaded or exported; small, and made up.

Each function writes one below a folder and says how it is configured, and what is known of it by hand.
"""

from __future__ import annotations

import csv
import datetime
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np


@dataclass(frozen=True)
class Download:
    """A table on disk.

    Attributes:
        section: keys of the config's ``dataset`` beside its kind.
        new: what ``predict`` is given, and how many rows of it are predicted.
        measured: a file for ``evaluate --dataset``.
        inputs: that the columns become; of a window over all its rows.
        samples: for training and validation together.
        classes: of the target; none of a number.
        naive: the target for a config that says no more than path and target.
    """

    section: dict[str, Any]
    new: Path
    predicted: int
    measured: Path
    inputs: int
    samples: int
    classes: tuple[str, ...] = ()
    naive: str = ""
    epochs: int = 40
    hidden: tuple[int, ...] = (8,)


def _text(path: Path, lines: Iterable[str], newline: str = "\n", encoding: str = "utf-8") -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes("".join(line + newline for line in lines).encode(encoding))
    return path


def _rows(path: Path, rows: Iterable[Sequence[object]]) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", newline="", encoding="utf-8") as file:
        csv.writer(file, lineterminator="\n").writerows(rows)
    return path


def titanic(folder: Path) -> Download:
    """Kaggle's train.csv and test.csv: names in quotes with commas, ages and cabins that are missing."""
    random = np.random.default_rng(1)
    header = [
        "PassengerId",
        "Survived",
        "Pclass",
        "Name",
        "Sex",
        "Age",
        "SibSp",
        "Parch",
        "Ticket",
        "Fare",
        "Cabin",
        "Embarked",
    ]
    rows = []
    for number in range(1, 241):
        sex = "female" if random.random() < 0.4 else "male"
        survived = int(random.random() < (0.9 if sex == "female" else 0.1))
        name = f"Surname{number}, {'Miss.' if sex == 'female' else 'Mr.'} Given (Other {number})"
        age = "" if number % 5 == 0 else f"{random.integers(1, 70)}"
        cabin = f"C{number}" if number % 4 == 0 else ""
        port = "" if number == 62 else "SCQ"[number % 3]
        fare = f"{random.gamma(2, 15):.4f}"
        some = (number % 3, number % 2)
        rows.append(
            [number, survived, 1 + number % 3, name, sex, age, *some, f"A/5 {21170 + number}", fare, cabin, port]
        )
    train = _rows(folder / "train.csv", [header, *rows[:200]])
    rest = [row[:1] + row[2:] for row in rows[200:]]
    rest[3][8] = ""  # a fare is missing in test.csv alone
    new = _rows(folder / "test.csv", [header[:1] + header[2:], *rest])
    # Pclass, Sex (2), Age, SibSp, Parch, Fare, Embarked (3 and missing).
    section = {"path": str(train), "target": "Survived", "missing": "mean"}
    section["exclude"] = ["PassengerId", "Name", "Ticket", "Cabin"]
    return Download(section, new, 40, train, 11, 200, ("0", "1"), "Survived")


ADULT = [
    "age",
    "workclass",
    "fnlwgt",
    "education",
    "education-num",
    "marital-status",
    "occupation",
    "relationship",
    "race",
    "sex",
    "capital-gain",
    "capital-loss",
    "hours-per-week",
    "native-country",
    "income",
]


def adult(folder: Path) -> Download:
    """UCI's adult.data without a header, and adult.test with a remark above and full stops behind the classes."""
    random = np.random.default_rng(2)
    rows = []
    for number in range(300):
        years = int(random.integers(1, 17))
        rich = years + random.normal(0, 2) > 10
        work = ["Private", "State-gov", "?"][int(random.integers(0, 3))]
        some = [["Never-married", "Divorced"][number % 2], ["Sales", "Craft-repair"][number // 2 % 2], "Husband"]
        gain = 99999 if number % 50 == 7 else 0 if number % 3 else 1000 + number
        rows.append([
            17 + number % 60, work, 20000 + 7 * number, f"grade-{years % 4}", years, *some, "White",
            ["Male", "Female"][number % 2], gain, 0, 20 + number % 40, "United-States", ">50K" if rich else "<=50K",
        ])  # fmt: skip
    lines = [", ".join(map(str, row)) for row in rows]
    train = _text(folder / "adult.data", [*lines[:240], ""])
    test = _text(folder / "adult.test", ["|1x3 Cross validator", *(f"{line}." for line in lines[240:]), ""])
    section = {
        "path": str(train),
        "target": "income",
        "header": False,
        "names": ADULT,
        "missing": "mean",
        "comment": "|",
    }
    # workclass (2 and missing), education (4), marital-status (2), occupation (2), sex (2); numbers: age, fnlwgt,
    # education-num, capital-gain, hours-per-week; relationship, race, capital-loss and native-country are constant.
    return Download(section, test, 60, test, 18, 240, ("<=50K", ">50K"), "column 15")


def ames(folder: Path) -> Download:
    """AmesHousing.csv: blanks in names, NA for what a house does not have, codes that are not quantities."""
    random = np.random.default_rng(3)
    header = [
        "Order",
        "PID",
        "MS SubClass",
        "MS Zoning",
        "Lot Frontage",
        "Lot Area",
        "Alley",
        "Gr Liv Area",
        "Garage Type",
        "SalePrice",
    ]
    rows = []
    for number in range(1, 201):
        area = float(random.integers(600, 3000))
        price = int(60 * area + 20000 * (number % 3) + random.normal(0, 5000))
        alley = "NA" if number % 8 else "Pave" if number % 16 else "Grvl"
        garage = ["Attchd", "Detchd", "NA"][number % 3]
        front = "NA" if number % 7 == 0 else int(random.integers(20, 120))
        kind = [20, 60, 120][number % 3]
        zone = ["RL", "RM"][number % 2]
        rows.append(
            [number, 526300000 + 17 * number, kind, zone, front, 8000 + 13 * number, alley, int(area), garage, price]
        )
    train = _rows(folder / "AmesHousing.csv", [header, *rows])
    new = _rows(folder / "new.csv", [header[:-1], *(row[:-1] for row in rows[:30])])
    # MS SubClass (3), MS Zoning (2), Lot Frontage and whether it is missing, Lot Area, Alley (2 and missing),
    # Gr Liv Area, Garage Type (2 and missing).
    section = {"path": str(train), "target": "SalePrice", "exclude": ["Order", "PID"], "categorical": ["MS SubClass"]}
    return Download({**section, "missing": "indicator"}, new, 30, train, 15, 200, (), "SalePrice")


def airline(folder: Path) -> Download:
    """Monthly passengers, 1949 to 1960, names and months in quotes."""
    values = [112 + 2.6 * k + 30 * np.sin(2 * np.pi * k / 12) for k in range(144)]
    lines = [f'"{1949 + k // 12}-{1 + k % 12:02d}",{value:.0f}' for k, value in enumerate(values)]
    train = _text(folder / "airline-passengers.csv", ['"Month","Passengers"', *lines])
    section = {"path": str(train), "target": "Passengers", "window": 12, "split_by": "Month"}
    # A year is known from each of the rows 12 to 143 on, and the target is one month later: 132 samples.
    return Download(section, train, 133, train, 12, 132, (), "Passengers", epochs=60, hidden=())


def mnist(folder: Path) -> Download:
    """MNIST as CSV: 784 columns of pixels called by row and column, of which the borders are 0."""
    random = np.random.default_rng(4)
    header = ["label", *(f"{row}x{column}" for row in range(1, 29) for column in range(1, 29))]
    patterns = random.integers(0, 256, (10, 20, 20))
    rows = []
    for number in range(220):
        image = np.zeros((28, 28), int)
        noisy = patterns[number % 10] + random.integers(-60, 61, (20, 20))
        image[4:24, 4:24] = noisy.clip(0, 255)
        rows.append([number % 10, *image.ravel().tolist()])
    train = _rows(folder / "mnist_train.csv", [header, *rows[:200]])
    test = _rows(folder / "mnist_test.csv", [header, *rows[200:]])
    section = {"path": str(train), "target": "label", "task": "classification", "validation": {"path": str(test)}}
    return Download(section, test, 20, test, 400, 220, tuple("0123456789"), "label", epochs=10)


def air_quality(folder: Path) -> Download:
    """UCI's AirQualityUCI.csv: semicolons, decimal commas, empty columns and lines at the end, -200 for no value."""
    random = np.random.default_rng(5)
    lines = ["Date;Time;CO(GT);PT08.S1(CO);C6H6(GT);T;RH;;"]
    usable = 0
    for hour in range(240):
        co = 1 + abs(5 * np.sin(hour / 9)) + random.normal(0, 0.1)
        cells = [f"{co:.1f}", f"{700 + 100 * co:.0f}", f"{2 * co:.1f}", f"{10 + hour % 15}", f"{40 + hour / 10:.1f}"]
        if hour % 11 == 5:
            cells[0] = "-200"
        if hour % 40 == 7:
            cells[2] = "-200"
        usable += "-200" not in cells
        day, clock = divmod(hour + 18, 24)
        values = ";".join(cells).replace(".", ",")
        lines.append(f"{10 + day:02d}/03/2004;{clock:02d}.00.00;{values};;")
    train = _text(folder / "AirQualityUCI.csv", [*lines, *[";;;;;;;;"] * 9], "\r\n")
    section = {
        "path": str(train), "target": "CO(GT)", "decimal": ",", "missing_values": [-200], "missing": "drop",
        "dates": {"Date": "%d/%m/%Y", "Time": "%H.%M.%S"},
    }  # fmt: skip
    kept = [line.split(";") for line in lines[1:] if "-200" not in line]
    new = _text(folder / "new.csv", [lines[0], *(";".join(row) for row in kept[:25])])
    return Download(section, new, 25, new, 6, usable, (), "CO(GT)")


def pandas_export(folder: Path) -> Download:
    """DataFrame.to_csv: the index without a name, True and False, times, empty cells."""
    random, start = np.random.default_rng(6), datetime.datetime(2001, 1, 1, 8, 30)
    rows = []
    for number in range(120):
        size = random.normal(50, 10)
        price = 3 * size + 20 * (size > 45) + random.normal(0, 2)
        rating = "" if number % 9 == 0 else f"{number % 5}.0"  # whole numbers beside NaN are floats
        city = ["Ulm", "Bonn", "Kiel"][number % 3]
        rows.append([number, start + datetime.timedelta(days=11 * number), size, bool(size > 45), rating, city, price])
    train = _rows(folder / "homes.csv", [["", "built", "size", "garden", "rating", "city", "price"], *rows])
    new = _rows(
        folder / "new.csv", [["", "built", "size", "garden", "rating", "city"], *(row[:-1] for row in rows[:10])]
    )
    section = {"path": str(train), "target": "price", "missing": "indicator"}
    # built, size, garden, rating and whether it is missing, city (3).
    return Download(section, new, 10, train, 8, 120, (), "price")


def r_export(folder: Path) -> Download:
    """R's write.csv: names of rows in a column without a name, texts in quotes, NA."""
    random = np.random.default_rng(7)
    lines = ['"","mpg","cyl","wt","am"']
    for number in range(1, 101):
        cylinders, weight = 4 + 2 * (number % 3), random.uniform(1.5, 5)
        mpg = 45 - 5 * weight - 1.2 * cylinders + random.normal(0, 0.5)
        heavy, manual = "NA" if number % 12 == 0 else f"{weight:.3f}", "TRUE" if number % 2 else "FALSE"
        lines.append(f'"Car {number}",{mpg:.1f},{cylinders},{heavy},{manual}')
    train = _text(folder / "mtcars.csv", lines)
    section = {"path": str(train), "target": "mpg", "missing": "mean"}
    return Download(section, train, 100, train, 3, 100, (), "mpg")


def _european(number: float) -> str:
    return f"{number:,.2f}".translate(str.maketrans(",.", ".,"))


def european_export(folder: Path) -> Download:
    """Semicolons, decimal commas, points between thousands, the euro's sign, a total below, in Windows' encoding."""
    random = np.random.default_rng(8)
    lines = ["Größe;Ort;Miete"]
    for number in range(100):
        size, place = random.uniform(20, 2000), ["Köln", "Münster"][number % 2]
        lines.append(f"{_european(size)};{place};{_european(12 * size + 300 * (number % 2))} €")
    train = _text(folder / "mieten.csv", [*lines, "Summe;;1.234.567,00 €"], "\r\n", "cp1252")
    new = _text(folder / "neu.csv", [*lines[:11], "Summe;;1,00 €"], "\r\n", "cp1252")
    section = {
        "path": str(train), "target": "Miete", "encoding": "cp1252", "decimal": ",", "thousands": ".", "strip": ["€"],
        "skip_footer": 1,
    }  # fmt: skip
    return Download(section, new, 10, new, 3, 100, (), "Miete")


def excel_export(folder: Path) -> Download:
    """CSV as a German Excel saves and reads it: a BOM, a line sep=;, CRLF, decimal commas."""
    random = np.random.default_rng(9)
    lines = ["sep=;", "Menge;Rabatt;Umsatz"]
    for number in range(100):
        amount, off = random.integers(1, 100), number % 4 * 5
        lines.append(f"{amount};{off} %;{amount * (100 - off) / 10:.1f}".replace(".", ","))
    train = _text(folder / "umsatz.csv", lines, "\r\n", "utf-8-sig")
    section = {"path": str(train), "target": "Umsatz", "decimal": ",", "strip": ["%"]}
    return Download(section, train, 100, train, 2, 100, (), "Umsatz")


DOWNLOADS: dict[str, Callable[[Path], Download]] = {
    "titanic": titanic,
    "adult": adult,
    "ames": ames,
    "airline": airline,
    "mnist": mnist,
    "air quality": air_quality,
    "pandas": pandas_export,
    "R": r_export,
    "european": european_export,
    "excel": excel_export,
}
