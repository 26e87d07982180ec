"""Prices as people write them: each text is one number, or no number, or is asked about."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.api.product_rows import rows
from app.ui import prices
from app.ui.files import spreadsheet
from app.ui.formats import amount, money
from app.ui.prices import LONGEST, UnclearPriceError
from app.ui.texts import LANGUAGES, Texts

CENTS = st.decimals(min_value="0.01", max_value="9999999999.99", places=2)


@pytest.mark.parametrize(
    ("text", "price"),
    [
        ("19,90", "19.9"),
        ("19.90", "19.9"),
        ("1.250,00", "1250"),
        ("1,250.00", "1250"),
        ("2,899.90", "2899.9"),
        ("1250", "1250"),
        ("1 250,00", "1250"),
        ("1\N{NARROW NO-BREAK SPACE}250", "1250"),
        ("R$ 2.899,90", "2899.9"),
        ("R$\N{NO-BREAK SPACE}2.899,90", "2899.9"),
        ("r$19,9", "19.9"),
        ("19,90 R$", "19.9"),
        ("BRL 5", "5"),
        ("  7\t", "7"),
        ("1.234.567", "1234567"),
        ("1,234,567.8", "1234567.8"),
        ("0,5", "0.5"),
        ("0.505", "0.505"),  # nothing has a mark between thousands behind a zero
        ("1234,567", "1234.567"),
        ("0", "0"),
        ("-5", "-5"),
        ("\N{MINUS SIGN}5", "-5"),
        ("- R$ 5", "-5"),
        ("R$ -5", "-5"),
        ("\N{LEFT-TO-RIGHT MARK}19,90", "19.9"),  # as pasted from elsewhere
    ],
)
def test_a_text_is_the_number_that_it_can_be_read_as(text: str, price: str) -> None:
    assert prices.read(text) == Decimal(price)


@pytest.mark.parametrize(
    ("text", "readings"), [("1.250", ["1250", "1.25"]), ("10,505", ["10505", "10.505"]), ("R$ 1,000", ["1000", "1"])]
)
def test_a_text_that_could_be_two_numbers_is_neither(text: str, readings: list[str]) -> None:
    with pytest.raises(UnclearPriceError) as unclear:
        prices.read(text)
    assert [*unclear.value.readings] == [Decimal(reading) for reading in readings]


@pytest.mark.parametrize(
    "text",
    [
        *("a combinar", "1e5", "1.23.4", "12,34,5", "19R$90", "US$ 5", "€ 5", "10²", "5-", "--5", "1 2", "R$", ",5"),
        *("5,", "nan", "9" * (LONGEST + 1)),
    ],
)
def test_what_is_no_number_is_not_made_one(text: str) -> None:
    with pytest.raises(UnclearPriceError) as unclear:
        prices.read(text)
    assert not unclear.value.readings


def test_nothing_is_no_price() -> None:
    assert prices.read("") is prices.read(" \N{NO-BREAK SPACE}") is None


@given(CENTS, st.sampled_from(list(LANGUAGES.values())))
def test_a_price_as_it_is_shown_is_read_as_what_it_is(price: Decimal, texts: Texts) -> None:
    assert prices.read(amount(price, texts)) == price
    assert prices.read(money(price, texts)) == price


@given(st.text("0123456789,. R$-", max_size=12), st.sampled_from(prices.DECIMAL_MARKS))
def test_a_text_with_one_reading_is_the_same_price_in_a_form_as_in_a_file(text: str, style: str) -> None:
    """And what is read of a file is what the API's import reads of what it is sent."""
    try:
        price = prices.read(text)
    except UnclearPriceError:
        return
    if price is not None:
        assert _imported(spreadsheet.number(text, style)) == price


def _imported(written: str) -> object:
    file = f"name,price,categoria,email_fornecedor\nMesa,{written},Móveis,vendas@fornecedor.example.com\n"
    [(_, row)] = rows(iter([file.encode()]), "csv")
    return row()["price"]
