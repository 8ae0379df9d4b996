"""Numbers that are not written as programs write them: the error proposes lines, and with these the table trains."""

from __future__ import annotations

import pytest

N = 40
PRICES = [round((k * 3701 % 997) * 87.25 + 10_000, 2) for k in range(N)]
ROOMS = [k * 7 % 5 + 1 for k in range(N)]
Y = [round(0.001 * price + 3 * rooms, 3) for price, rooms in zip(PRICES, ROOMS, strict=True)]
ALL = {"price": PRICES, "rooms": ROOMS}


def written(form, mark=","):
    """The table as lines, its prices in this form; a cell that holds the delimiter stands in quotes."""
    prices = [form(price) for price in PRICES]
    prices = [f'"{price}"' if mark in price else price for price in prices]
    return [mark.join(("price", "rooms", "y")), *map(mark.join, zip(prices, map(str, ROOMS), map(str, Y), strict=True))]


def swapped(text):
    return text.translate(str.maketrans(",.", ".,"))


# How a price is written, what is between cells, and the lines that the error proposes: where y's points are decimal
# points, those that would read them otherwise are of the price alone.
FORMS = {
    "decimal commas": (lambda price: f"{price:.2f}".replace(".", ","), ";", ["decimal: {price: ','}"]),
    "decimal commas in quotes": (lambda price: f"{price:.2f}".replace(".", ","), ",", ["decimal: {price: ','}"]),
    "thousands of England": (lambda price: f"{price:,.2f}", ",", ["thousands: ','"]),
    "thousands of Germany": (lambda price: swapped(f"{price:,.2f}"), ";",
                             ["decimal: {price: ','}", "thousands: {price: '.'}"]),
    "thousands of Switzerland": (lambda price: f"{price:,.2f}".replace(",", "’"), ",", ['thousands: "\'"']),
    "thousands of Sweden": (lambda price: f"{price:,.2f}".replace(",", " ").replace(".", ","), ";",
                            ["decimal: {price: ','}", "thousands: {price: ' '}"]),
    "narrow blanks": (lambda price: f"{price:,.2f}".replace(",", "\u202f"), ",", ["thousands: ' '"]),
    "underscores": (lambda price: f"{price:_.2f}", ",", ["thousands: '_'"]),
    "dollars": (lambda price: f"${price:,.2f}", ",", ["thousands: ','", "strip: ['$']"]),
    "euros behind": (lambda price: swapped(f"{price:,.2f} €"), ";",
                     ["decimal: {price: ','}", "thousands: {price: '.'}", "strip: ['€']"]),
    "francs in letters": (lambda price: f"CHF {price:.2f}", ",", ["strip: ['CHF']"]),
    "percents": (lambda price: f"{price:.2f}%", ",", ["strip: ['%']"]),
    "kilograms": (lambda price: f"{price:.2f} kg", ",", ["strip: ['kg']"]),
}  # fmt: skip


@pytest.mark.parametrize("name", FORMS)
def test_one_column_is_written_otherwise(desk, name):
    form, mark, remedy = FORMS[name]
    desk.write(written(form, mark))
    desk.refused("d.csv:2: column 'price': expected a number, got ", " and ".join(remedy))
    desk.follow(*remedy)
    desk.trains()
    desk.has_read(ALL, Y)


def test_a_german_table_has_all_numbers_so(desk):
    lines = [f"{swapped(f'{price:,.2f}')};{rooms};{str(y).replace('.', ',')}"
             for price, rooms, y in zip(PRICES, ROOMS, Y, strict=True)]  # fmt: skip
    desk.write(["price;rooms;y", *lines], encoding="utf-8-sig", end="\r\n")
    desk.refused("d.csv:2: column 'y': expected a number, got '13,0'", "add decimal: ',' and thousands: '.', or")
    desk.follow("decimal: ','", "thousands: '.'")
    desk.trains()
    desk.has_read(ALL, Y)


def test_two_columns_are_written_otherwise(desk):
    """The mapping that is proposed names both."""
    lines = [f"{comma(price)};{comma(rooms + 0.5)};{y}" for price, rooms, y in zip(PRICES, ROOMS, Y, strict=True)]
    desk.write(["price;living room;y", *lines])
    desk.refused("d.csv:2: column 'price'")
    desk.follow("decimal: {price: ',', \"living room\": ','}")
    desk.trains()
    desk.has_read({"price": PRICES, "living room": [rooms + 0.5 for rooms in ROOMS]}, Y)


SEVEN = [k % 7 for k in range(N)]


def test_points_beside_decimal_commas_may_be_thousands(desk):
    """1.234 in one column, 75,26 in another: the error asks what the first is."""
    counts = [1000 + 37 * k for k in range(N)]
    desk.write(["price;count;y", *(f"{k},25;{swapped(f'{count:,}')};{k % 7}" for k, count in enumerate(counts))])
    desk.rest = ["loss: mse"]
    both = "decimal: ',' and thousands: '.' if 1.000 in column 'count' is 1000, decimal: {price: ','} if it is 1.000"
    desk.refused("d.csv:2: column 'price'", both)
    desk.follow("decimal: ','", "thousands: '.'")
    desk.trains()
    desk.has_read({"price": [k + 0.25 for k in range(N)], "count": counts}, SEVEN)


def test_what_was_said_so_far_is_completed(desk):
    """The user knew of the comma, not of what the other columns hold."""
    desk.write(["price;rate;y", *(f"{swapped(f'{price:,.2f}')} €;{k},5 %;{k % 7}" for k, price in enumerate(PRICES))])
    desk.keys, desk.rest = ["decimal: ','"], ["loss: mse"]
    desk.refused("d.csv:2: column 'price'", "set thousands: '.' and strip: ['%', '€'], or")
    desk.follow("thousands: '.'", "strip: ['%', '€']")
    desk.trains()
    desk.has_read({"price": PRICES, "rate": [k + 0.5 for k in range(N)]}, SEVEN)


def test_what_was_said_of_all_columns_is_not_true_of_all(desk):
    desk.write(["price;rate;y", *(f"{k},25;{k}.5;{k % 7}" for k in range(N))])
    desk.keys, desk.rest = ["decimal: ','"], ["loss: mse"]
    desk.refused("d.csv:2: column 'rate': expected a number such as 1234,5, got '0.5'")
    desk.follow("decimal: {price: ','}")
    desk.trains()
    desk.has_read({"price": [k + 0.25 for k in range(N)], "rate": [k + 0.5 for k in range(N)]}, SEVEN)


def comma(value):
    return str(value).replace(".", ",")


@pytest.mark.parametrize(
    ("units", "says"),
    [(["K", "M"], "'K', 'M'"), ([" kg", " lb"], "'kg', 'lb'"), ([" €", " $"], "'$', '€'"), (["%", ""], "'%'")],
)
def test_numbers_of_different_units(desk, units, says):
    """1.5K is not 1.5M, and 50% not 50: nothing is proposed that would take them as equal."""
    desk.write(["price,y", *(f"{k}.5{units[k % 2]},{y}" for k, y in enumerate(Y))])
    message = desk.refused(
        "d.csv:2: column 'price': expected a number, got ",
        f"the numbers have different units ({says}), and no key converts them: write them in one",
    )
    assert "strip" not in message


def test_a_currency_beside_some_numbers(desk):
    desk.write(["price,y", *(f"{'$' if k % 3 else ''}{k}.5,{y}" for k, y in enumerate(Y))])
    desk.refused("d.csv:3: column 'price': expected a number, got '$1.5'", "add strip: ['$']")
    desk.follow("strip: ['$']")
    desk.trains()
    desk.has_read({"price": [k + 0.5 for k in range(N)]}, Y)
