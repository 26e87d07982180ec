"""The charts of the overview. Each takes its colours from the theme and says everything without them.

A column's name is what it is called on the chart, in its tooltips and where somebody asks for its data.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import altair as alt
import pandas as pd

from app.ui.client.api_summary import Added, CategorySummary, PriceRange
from app.ui.formats import CENT, money, number, short_money, short_number
from app.ui.products.list_view import ListView, in_cents
from app.ui.texts import Texts

WHOLE, REAIS = ",d", "$,.2f"  # as Vega takes them; the marks and the currency are those of the language
# Of what is written: bars have the theme's colour, for letters Streamlit's is too light and Vega's is always black.
INK = alt.ExprRef("luminance(background) > 0.2 ? '#222' : '#eee'")
BAR, BOX = 28, 44  # pixels of the height for each bar, or box
TIME_HEIGHT = 260  # pixels
LABEL_LIMIT = 160  # pixels of the longest label beside an axis
PADDING = {"left": 0, "top": 0, "right": 14, "bottom": 4}  # half a label lies to the right of the last bar
BARS_OF_TIME, MONTHS = 31, 36  # more of them would be too thin on a phone
STEPS = [step * Decimal(10) ** power for power in range(-2, 11) for step in (1, 2, 5)]  # a price has ten digits


PICKED = "picked"  # the name of what somebody clicked on, in a chart's selection
RANGES = 12  # bars of prices at most: a few very dear products do not make the others thin


@dataclass(frozen=True)
class ChartCard:
    """A chart with its heading, what it shows in one sentence for who cannot see it, and how to read it.

    `views` are the lists of the products that each bar is about, by what the bar is called in the column `what`.
    """

    title: str
    chart: alt.LayerChart | alt.Chart
    alt: str
    what: str
    views: Mapping[str, ListView]
    hint: str = ""


def by_category(categories: Sequence[CategorySummary], texts: Texts) -> ChartCard:
    """Show how many products each category has."""
    rows = [(group.categoria, group.count, number(group.count, texts)) for group in categories]
    names = (texts.categoria, texts.number_of_products)
    return _bars(texts.by_category, names, rows, WHOLE, _by_category(categories), texts)


def value_by_category(categories: Sequence[CategorySummary], texts: Texts) -> ChartCard:
    """Show what the products of each category cost together."""
    totals = [(group.categoria, group.price.total if group.price else Decimal(0)) for group in categories]
    rows = [(categoria, float(total), short_money(total, texts)) for categoria, total in totals]
    names = (texts.categoria, texts.total_value_in_reais)
    return _bars(texts.value_by_category, names, rows, REAIS, _by_category(categories), texts)


def by_price(ranges: Sequence[PriceRange], texts: Texts) -> ChartCard:
    """Show how many products there are in each range of prices; the ends are wider ones where they are many."""
    rows, views = [], {}
    for part in _fewer(ranges):
        label = f"R$\N{NO-BREAK SPACE}{short_number(part.low, texts)}–{short_number(part.high, texts)}"
        rows.append((label, part.count, number(part.count, texts)))
        # The least price of a range is in it, the highest is not.
        views[label] = ListView(price_min=in_cents(Decimal(part.low)), price_max=Decimal(part.high) - CENT)
    return _bars(texts.by_price, (texts.price_range, texts.number_of_products), rows, WHOLE, views, texts)


def _fewer(ranges: Sequence[PriceRange]) -> list[PriceRange]:
    """Return ranges of which those with the fewest products, at both ends, are put together to one each."""
    if len(ranges) <= RANGES:
        return list(ranges)
    kept = RANGES - 2
    first = max(range(len(ranges) - kept + 1), key=lambda n: sum(part.count for part in ranges[n : n + kept]))
    parts = [ranges[:first], *([part] for part in ranges[first : first + kept]), ranges[first + kept :]]
    together = [PriceRange(part[0].low, part[-1].high, sum(one.count for one in part)) for part in parts if part]
    while not together[0].count:
        del together[0]
    while not together[-1].count:
        del together[-1]
    return together


def _by_category(categories: Sequence[CategorySummary]) -> dict[str, ListView]:
    return {group.categoria: ListView(categoria=(group.categoria,)) for group in categories}


def spread_by_category(categories: Sequence[CategorySummary], texts: Texts) -> ChartCard:
    """Show the cheapest product, the quartiles and the dearest product of each category that has any."""
    prices = {group.categoria: group.price for group in categories if group.price}
    columns = {
        texts.cheapest: [price.min for price in prices.values()],
        texts.first_quartile: [price.first_quartile for price in prices.values()],
        texts.median: [price.median for price in prices.values()],
        texts.third_quartile: [price.third_quartile for price in prices.values()],
        texts.dearest: [price.max for price in prices.values()],
    }
    low, first, median, third, high = columns
    lowest = max(i for i, step in enumerate(STEPS) if step <= min(columns[low]))
    highest = min(i for i, step in enumerate(STEPS) if step >= max(columns[high]) and i > lowest)
    steps = [float(step) for step in STEPS[lowest : highest + 1]]
    powers_of_ten = steps[-lowest % 3 :: 3]
    scale = alt.Scale(type="log", domain=[steps[0], steps[-1]], nice=False)
    axis = alt.Axis(format=",~f", values=powers_of_ten if len(steps) > 6 else steps)

    def x(field: str) -> alt.X:
        return alt.X(field=field, type="quantitative", title=texts.price_on_log_scale, scale=scale, axis=axis)

    rows = pd.DataFrame({texts.categoria: list(prices)} | {name: list(map(float, c)) for name, c in columns.items()})
    base = alt.Chart(rows, height=alt.Step(BOX)).encode(y=_labels(texts.categoria))
    drawn: dict[str, Any] = {"aria": False, "tooltip": False, "opacity": 1}
    line: dict[str, Any] = drawn | {"color": INK}
    parts = [
        base.mark_rule(strokeWidth=2, **line).encode(x=x(low), x2=alt.X2(first)),
        base.mark_rule(strokeWidth=2, **line).encode(x=x(third), x2=alt.X2(high)),
        base.mark_tick(size=12, thickness=2, **line).encode(x=x(low)),
        base.mark_tick(size=12, thickness=2, **line).encode(x=x(high)),
        base.mark_bar(filled=False, strokeWidth=3, size=24, **drawn).encode(x=x(first), x2=alt.X2(third)),
        base.mark_tick(size=24, thickness=4, **line).encode(x=x(median)),
        # Invisible, so that the pointer and the screen reader find one thing in each row, which tells all of it.
        _telling_bars(base.encode(x=x(low), x2=alt.X2(high)), texts.categoria, columns, REAIS, opacity=0, size=BOX),
    ]
    medians = "; ".join(f"{categoria} {money(price.median, texts)}" for categoria, price in prices.items())
    return ChartCard(
        texts.spread_by_category,
        _finished(alt.layer(*parts), texts),
        texts.the_medians.format(title=texts.spread_by_category, list=medians),
        texts.categoria,
        _by_category(categories),
        texts.spread_hint,
    )


def added_over_time(added: Sequence[Added], today: date, count: int, texts: Texts) -> ChartCard:
    """Show when the products were added, up to `today`: by day, or by more where that would be too many bars."""
    last = max(today, added[-1].day)
    first = min(added[0].day, last - timedelta(days=6))
    days = [first + timedelta(days=n) for n in range((last - first).days + 1)]
    if len(days) <= BARS_OF_TIME:
        title, unit, starts, short = texts.added_by_day, texts.day, days, texts.short_day_format
    elif len(days) <= BARS_OF_TIME * 7:
        starts = [day - timedelta(days=day.weekday()) for day in days]
        title, unit, short = texts.added_by_week, texts.week, texts.short_day_format
    elif len(days) <= MONTHS * 30:
        starts = [day.replace(day=1) for day in days]
        title, unit, short = texts.added_by_month, texts.month, texts.month_format
    else:
        starts = [day.replace(month=1, day=1) for day in days]
        title, unit, short = texts.added_by_year, texts.year, "%Y"
    start_of = dict(zip(days, starts, strict=True))
    counts = dict.fromkeys(starts, 0)
    for on_day in added:
        counts[start_of[on_day.day]] += on_day.count

    rows = pd.DataFrame(
        {unit: [start.strftime(short) for start in counts], texts.number_of_products: list(counts.values())}
    )
    chart = alt.Chart(rows, height=TIME_HEIGHT).encode(
        x=alt.X(field=unit, type="nominal", sort=None, axis=alt.Axis(labelAngle=0, labelOverlap="greedy")),
        y=alt.Y(
            field=texts.number_of_products,
            type="quantitative",
            axis=alt.Axis(format=WHOLE, tickMinStep=1, tickCount=5, **_title_above("left", 0)),
        ),
    )
    bars = _telling_bars(chart, unit, [texts.number_of_products], WHOLE)
    most = max(counts, key=lambda start: counts[start])
    alt_text = texts.the_most.format(title=title, label=most.strftime(short), value=number(counts[most], texts))
    shown = sum(counts.values())
    hint = texts.newest_only.format(part=number(shown, texts), whole=number(count, texts)) if shown < count else ""
    ends = [start - timedelta(days=1) for start in [*counts][1:]] + [last]
    views = {
        start.strftime(short): ListView(created_from=max(start, first), created_to=end)
        for start, end in zip(counts, ends, strict=True)
    }
    return ChartCard(title, _finished(bars, texts), alt_text, unit, views, hint)


def _bars(
    title: str,
    names: tuple[str, str],
    rows: Sequence[tuple[str, float, str]],
    written: str,
    views: Mapping[str, ListView],
    texts: Texts,
) -> ChartCard:
    """Draw a bar for each row: what it is about, how long it is, and that in words."""
    what, amount = names
    longest = max(rows, key=lambda row: row[1])
    base = alt.Chart(pd.DataFrame(rows, columns=[what, amount, texts.label]), height=alt.Step(BAR)).encode(
        y=_labels(what),
        x=alt.X(
            field=amount,
            type="quantitative",
            scale=alt.Scale(nice=False),
            axis=alt.Axis(format=",~f", tickCount=4, tickMinStep=1),
        ),
    )
    bars = _telling_bars(base, what, [amount], written)
    labels = base.mark_text(align="left", dx=6, fontSize=12, color=INK, aria=False, tooltip=False).encode(
        text=alt.Text(field=texts.label, type="nominal")
    )
    alt_text = texts.the_most.format(title=title, label=longest[0], value=longest[2])
    return ChartCard(title, _finished(bars + labels, texts), alt_text, what, views)


def _labels(field: str) -> alt.Y:
    """Return the axis of what the bars are about, in the order it has and with room for its words."""
    axis = alt.Axis(labelLimit=LABEL_LIMIT, **_title_above("right", -12))
    return alt.Y(field=field, type="nominal", sort=None, axis=axis)


def _title_above(align: str, x: int) -> dict[str, Any]:
    """Have the title of a vertical axis above it: beside it, turned, it takes width and is hard to read."""
    return {"titleAngle": 0, "titleAlign": align, "titleBaseline": "bottom", "titleX": x, "titleY": -8}


def _telling_bars(chart: alt.Chart, what: str, numbers: Iterable[str], written: str, **look: Any) -> alt.Chart:
    """Draw bars that tell the pointer and a screen reader what each is about and its numbers, as they are written."""

    def column(name: str) -> str:
        return f"datum[{json.dumps(name)}]"

    told = ", ', ', ".join(f"{json.dumps(name)}, ' ', format({column(name)}, '{written}')" for name in numbers)
    bars: alt.Chart = (
        chart.mark_bar(
            description=alt.ExprRef(f"join([{column(what)}, ': ', {told}], '')"), **{"cursor": "pointer"} | look
        )
        .encode(
            tooltip=[
                alt.Tooltip(field=what, type="nominal"),
                *(alt.Tooltip(field=name, type="quantitative", format=written) for name in numbers),
            ]
        )
        .add_params(alt.selection_point(name=PICKED, fields=[what]))
    )
    return bars


def _finished(chart: Any, texts: Texts) -> Any:
    """Have numbers written as in the language, and no axes for a screen reader: Vega tells it them in English."""
    numbers = {
        "decimal": texts.decimal_mark,
        "thousands": texts.thousands_mark,
        "grouping": [3],
        "currency": ["R$\N{NO-BREAK SPACE}", ""],
    }
    chart = chart.properties(padding=PADDING).configure(locale={"number": numbers})
    return chart.configure_axis(aria=False, labelColor=INK, titleColor=INK)
