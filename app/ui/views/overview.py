"""The overview: the whole catalogue in numbers and charts, from one request."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, nullcontext
from decimal import Decimal

import pandas as pd
import streamlit as st

from app.ui import address, errors, session
from app.ui.client.api_client import ApiClient
from app.ui.client.api_models import ApiError, Product
from app.ui.client.api_summary import Prices, Summary
from app.ui.formats import moment, money, number, plain, short_money
from app.ui.products import overview_charts, state
from app.ui.products.overview_charts import PICKED, ChartCard
from app.ui.settings import api_url, service_token
from app.ui.sign_in import access

READ_AGAIN = "read_again"  # the key of the button
FRESH_SECONDS = 30  # visitors share what was read so long ago at most
CARD_WIDTH = 200  # pixels at least, of a figure
CHART_WIDTH = 420  # pixels at least, of a chart that has another one beside it

texts = session.texts()


@st.cache_data(ttl=FRESH_SECONDS, max_entries=8, show_spinner=False)
def read(
    url: str,  # noqa: ARG001 - a change of either reads again
    token: str | None,  # noqa: ARG001
    time_zone: str,
    _client: ApiClient,
    _fresh: bool,
) -> Summary:
    """Return the summary; an ApiError is not kept."""
    return _client.read_summary(time_zone, fresh=_fresh)


@contextmanager
def shape_of_the_page() -> Iterator[None]:
    """Show where what is awaited will be, unless it comes at once."""
    place = st.empty()
    try:
        with place.container(), ExitStack() as shape:
            for how_many, least_width, height in ((5, CARD_WIDTH, 100), (2, CHART_WIDTH, 280), (2, CHART_WIDTH, 400)):
                with st.grid(how_many, min_column_width=least_width):
                    for _ in range(how_many):
                        shape.enter_context(st.skeleton(height))
            yield
    finally:
        place.empty()


def read_or_tell() -> Summary | None:
    """Return the summary, or None after showing why there is none."""
    asked_again = bool(st.session_state.get(READ_AGAIN))
    fresh = asked_again or state.has_changed()
    if fresh:
        read.clear()
    try:
        # Read again, the figures that are there stay until the new ones are.
        with nullcontext() if asked_again else shape_of_the_page():
            found = read(api_url(), service_token(), session.zone().key, access.client(), fresh)
    except ApiError as error:
        errors.show_and_retry(error, texts.could_not_sum_up)
        return None
    state.change_is_shown()
    return found


def figures(summary: Summary, price: Prices) -> None:
    """Show the numbers that say most."""
    used = sum(1 for category in summary.categories if category.count)
    with st.grid(5, min_column_width=CARD_WIDTH):
        st.metric(texts.products, number(summary.count, texts), border=True)
        amount(texts.total_value, price.total)
        amount(texts.median_price, price.median, texts.median_help)
        amount(texts.dearest, price.max)
        in_use = texts.out_of.format(part=used, whole=len(summary.categories))
        st.metric(texts.categories_in_use, in_use, border=True)


def amount(label: str, value: Decimal, hint: str = "") -> None:
    """Show an amount of money; where it is shortened, its help has all of it."""
    short, exact = short_money(value, texts), money(value, texts)
    helped = " ".join(filter(None, ("" if short == exact else f"{exact}.", hint)))
    st.metric(label, plain(short), border=True, help=plain(helped) or None)


def show(card: ChartCard) -> None:
    """Show a chart below its heading; a click on a bar leads to the products that it is about."""
    with st.container(border=True, height="stretch"):
        st.header(card.title, anchor=False)
        event = st.altair_chart(card.chart, alt=card.alt, key=f"chart {card.title}", on_select="rerun")
        if card.hint:
            st.caption(card.hint)
    for point in event["selection"].get(PICKED, []):
        if view := card.views.get(point[card.what]):
            address.go_to("views/products.py", view.parameters())


def exact(summary: Summary) -> None:
    """Show the numbers behind the charts, all digits of them."""
    with st.expander(texts.exact_numbers):
        st.table(
            pd.DataFrame(
                {
                    texts.categoria: [group.categoria for group in summary.categories],
                    texts.products: [number(group.count, texts) for group in summary.categories],
                    **{
                        label: [
                            plain(money(getattr(group.price, name), texts)) if group.price else "—"
                            for group in summary.categories
                        ]
                        for name, label in (
                            ("total", texts.total_value),
                            ("min", texts.cheapest),
                            ("first_quartile", texts.first_quartile),
                            ("median", texts.median),
                            ("third_quartile", texts.third_quartile),
                            ("max", texts.dearest),
                        )
                    },
                }
            ),
            hide_index=True,
        )


def ends(title: str, products: tuple[Product, ...], key: str) -> None:
    """Show a few products, each a link to its page, with their prices."""
    # A link to a page is cut off where its line ends, unless told otherwise.
    st.html(f"<style>.st-key-{key} a p {{ white-space: normal; overflow-wrap: anywhere; }}</style>")
    with st.container(border=True, height="stretch", gap="xsmall", key=key):
        st.header(title, anchor=False)
        for product in products:
            with st.container(horizontal=True, wrap=False, vertical_alignment="center"):
                st.page_link(
                    "views/product.py",
                    label=plain(product.name),
                    icon=":material/arrow_forward:",
                    help="",
                    width="stretch",
                    query_params={state.LOOKED_UP: str(product.id)},
                )
                st.markdown(plain(money(product.price, texts)), width="content")


def charts(summary: Summary) -> None:
    """Show how the products are spread over the categories, the prices and time."""
    grid = st.grid(2, min_column_width=CHART_WIDTH)
    with grid:
        show(overview_charts.by_category(summary.categories, texts))
        show(overview_charts.value_by_category(summary.categories, texts))
        show(overview_charts.by_price(summary.ranges, texts))
        show(overview_charts.spread_by_category(summary.categories, texts))
        with grid.cell(column_span="all"):
            today = summary.as_of.astimezone(session.zone()).date()
            show(overview_charts.added_over_time(summary.added, today, summary.count, texts))
        ends(texts.cheapest_products, summary.cheapest, "cheapest")
        ends(texts.dearest_products, summary.dearest, "dearest")
    exact(summary)


address.tidy({})
summary = read_or_tell()
if summary is not None:
    with st.container(horizontal=True, horizontal_alignment="distribute", vertical_alignment="center"):
        when = moment(summary.as_of, session.zone(), texts)
        st.caption(texts.figures_of.format(when=when), width="content")
        st.button(texts.read_figures_again, key=READ_AGAIN, icon=":material/refresh:")
    if summary.price is None:
        with st.container(border=True, horizontal_alignment="center"):
            st.space("small")
            st.subheader(texts.no_products, text_alignment="center", anchor=False)
            st.caption(texts.no_figures, text_alignment="center")
            st.page_link("views/products.py", label=texts.to_products, icon=":material/arrow_forward:", help="")
            st.space("small")
    else:
        figures(summary, summary.price)
        charts(summary)
