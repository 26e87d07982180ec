"""The catalogue in numbers, for charts: computed at once while that is quick, else a snapshot whose age is stated."""

import json
import logging
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime, tzinfo
from decimal import ROUND_HALF_UP, Decimal
from fractions import Fraction
from functools import lru_cache
from typing import Annotated, Any
from zoneinfo import ZoneInfo

from pydantic import AfterValidator, BaseModel, Field, PlainSerializer
from sqlalchemy import Connection, Engine, delete, func, insert, select, text, true

from app.api.crud import COLUMNS
from app.api.database import transaction
from app.api.models import Categoria, Product, ProductsSummary
from app.api.schemas import ProductResponse

QUICK_SECONDS = 0.04  # a summary computed faster than this is computed for every request
MAX_AGE_SECONDS = 60  # a snapshot older than this is replaced, after one more answer with it
MOST_AGE_SECONDS = 300  # one older than this is replaced first: whoever comes first in the morning sees today
COMPUTE_SECONDS = 60  # PostgreSQL gives up on it after this long; a million products take one or two
LOCK_SECONDS = 10  # and on waiting for a lock after this, as on any statement
DAYS = 366
QUARTER_SECONDS = 900  # days begin at a whole quarter of an hour in every zone there is
CENT = Decimal("0.01")
ENDS = 5  # how many of the cheapest and of the dearest
LOCK = 7_262_684  # any number, as long as nothing else in this database locks the same one
BOUNDS = [step * 10**power for power in range(10) for step in (1, 2, 5)]  # R$ 1 to 5 billion; a price has ten digits
logger = logging.getLogger(__name__)

Amount = Annotated[Decimal, PlainSerializer(float, return_type=float, when_used="json")]


class Prices(BaseModel):
    """The prices of some products, in Brazilian reais; null when there are no products.

    The median and the quartiles are those of a spreadsheet (MEDIAN, QUARTILE.INC): between the two prices that are next
    to them where no product is, rounded to cents.
    """

    min: Amount | None = Field(examples=[19.9])
    first_quartile: Amount | None = Field(examples=[99.9])
    median: Amount | None = Field(examples=[349.9])
    third_quartile: Amount | None = Field(examples=[1299.0])
    max: Amount | None = Field(examples=[8999.0])
    total: Amount | None = Field(examples=[104_312.5])


class CategorySummary(BaseModel):
    """The products of one category."""

    categoria: Categoria
    count: int = Field(examples=[120])
    price: Prices


class HistogramBin(BaseModel):
    """The products whose price is `from` or more and less than `to`."""

    from_: int = Field(alias="from", examples=[100])
    to: int = Field(examples=[200])
    count: int = Field(examples=[37])


class AddedOnDay(BaseModel):
    """The products that were created on one day, in the time zone that was asked for."""

    date: Annotated[date, Field(examples=["2026-11-01"])]
    count: int = Field(examples=[12])


class Summary(BaseModel):
    """The whole catalogue in numbers, as it was at `as_of`."""

    as_of: datetime = Field(examples=["2026-11-01T12:30:00.123456Z"])
    count: int = Field(examples=[600])
    price: Prices
    categories: list[CategorySummary]
    histogram: list[HistogramBin]
    added: list[AddedOnDay]
    cheapest: list[ProductResponse]
    dearest: list[ProductResponse]


def _require_zone(name: str) -> str:
    try:
        ZoneInfo(name)
    except (ValueError, OSError, KeyError):
        raise ValueError("must be a time zone of the IANA database, such as America/Sao_Paulo") from None
    return name


TimeZone = Annotated[
    str, Field(max_length=64, json_schema_extra={"format": "time-zone"}), AfterValidator(_require_zone)
]


def read_summary(engine: Engine, zone: tzinfo, *, fresh: bool) -> tuple[bytes, int, bool]:
    """Return the summary as JSON, its age in seconds, and whether `refresh` should be called after answering.

    Days are those of `zone`; what is `fresh` is computed now.
    """
    kept = None if fresh else _kept(engine)
    if kept and (datetime.now(UTC) - kept[1]).total_seconds() > MOST_AGE_SECONDS:
        refresh_unless_under_way(engine)
        kept = _kept(engine)
    body, computed_at = kept or (refresh(engine), datetime.now(UTC))
    age = max(0, int((datetime.now(UTC) - computed_at).total_seconds()))
    return _in_zone(body, zone), age, age > MAX_AGE_SECONDS


def _kept(engine: Engine) -> tuple[bytes, datetime] | None:
    """Return the kept summary and when it was computed; one without moments was kept by an older version."""
    with engine.connect() as connection:
        kept = connection.execute(select(ProductsSummary.body, ProductsSummary.computed_at)).one_or_none()
    return (kept.body, kept.computed_at) if kept is not None and b'"moments":' in kept.body else None


@lru_cache(maxsize=8)  # a year's quarters of hours take 30 to 80 ms, and who works together is in one zone
def _in_zone(body: bytes, zone: tzinfo) -> bytes:
    """Return a summary as it is answered: with the days of a zone in place of the moments that it is kept with."""
    answer = json.loads(body)
    moments = [(quarter, count) for quarter, count in answer.pop("moments")]
    answer["added"] = [{"date": day.isoformat(), "count": count} for day, count in _days(moments, zone)]
    return json.dumps(answer, ensure_ascii=False, separators=(",", ":")).encode()


def _days(moments: Sequence[tuple[int, int]], zone: tzinfo) -> list[tuple[date, int]]:
    """Return how many products each of the newest days had, the oldest first."""
    days: Counter[date] = Counter()
    for quarter, count in moments:
        days[datetime.fromtimestamp(quarter * QUARTER_SECONDS, zone).date()] += count
    if len(moments) == DAYS * 96:  # as many as are read: the oldest day may lack its beginning
        del days[min(days)]
    return sorted(days.items())[-DAYS:]


def refresh(engine: Engine) -> bytes:
    """Compute the summary, keep it when that took long, and return it."""
    with transaction(engine, timeout_seconds=COMPUTE_SECONDS) as connection:
        if connection.dialect.name == "postgresql":
            connection.execute(select(func.set_config("lock_timeout", f"{LOCK_SECONDS * 1000:g}", true())))
        started, now = time.perf_counter(), datetime.now(UTC)
        computed, moments = _compute(connection, now)
        body = json.dumps(json.loads(computed.model_dump_json(by_alias=True)) | {"moments": moments}).encode()
        seconds = time.perf_counter() - started
        _keep(connection, body, now, seconds)
    return body


def refresh_unless_under_way(engine: Engine) -> None:
    """Replace the kept summary, unless another request or process is doing so."""
    with engine.connect() as connection:
        # The lock goes with the connection's session: it is given back here, or by PostgreSQL when we are killed.
        postgresql = engine.dialect.name == "postgresql"
        if postgresql and not connection.execute(text(f"SELECT pg_try_advisory_lock({LOCK})")).scalar_one():
            return
        try:
            refresh(engine)
        except Exception:
            logger.exception("the summary could not be computed; the last one stays")
        finally:
            if postgresql:
                connection.execute(text(f"SELECT pg_advisory_unlock({LOCK})"))


def _keep(connection: Connection, body: bytes, now: datetime, seconds: float) -> None:
    connection.execute(delete(ProductsSummary))
    if seconds > QUICK_SECONDS:
        values = {"id": 1, "body": body, "computed_at": now, "seconds": seconds}
        if connection.dialect.name == "postgresql":
            from sqlalchemy.dialects.postgresql import insert as upsert

            connection.execute(
                upsert(ProductsSummary).values(values).on_conflict_do_update(index_elements=["id"], set_=values)
            )
        else:
            connection.execute(insert(ProductsSummary).values(values))


def _compute(connection: Connection, now: datetime) -> tuple[Summary, list[tuple[int, int]]]:
    """Return the summary without its days, and the moments that these are made of: quarters of an hour since 1970."""
    facts = _facts_of_postgresql(connection) if connection.dialect.name == "postgresql" else _facts(connection)
    groups: Mapping[str | None, Any] = {group["categoria"]: group for group in facts["groups"]}
    nothing: dict[str, Any] = {"count": 0, "min": None, "max": None, "total": None, "quartiles": None}

    def prices(group: Mapping[str, Any]) -> Prices:
        quartiles = group["quartiles"] or (None, None, None)  # no products: SQL has no array either
        first, median, third = (q and Decimal(str(q)).quantize(CENT, ROUND_HALF_UP) for q in quartiles)
        values = {name: group[name] for name in ("min", "max", "total")}
        return Prices(**values, first_quartile=first, median=median, third_quartile=third)

    everything = groups.get(None, nothing)
    computed = Summary(
        as_of=now,
        count=everything["count"],
        price=prices(everything),
        categories=[
            CategorySummary(
                categoria=categoria,
                count=groups.get(categoria.value, nothing)["count"],
                price=prices(groups.get(categoria.value, nothing)),
            )
            for categoria in Categoria
        ],
        histogram=_histogram(facts["bins"]),
        added=[],
        cheapest=[ProductResponse.model_construct(**row) for row in facts["cheapest"]],
        dearest=[ProductResponse.model_construct(**row) for row in facts["dearest"]],
    )
    return computed, facts["moments"]


def _histogram(bins: Sequence[Mapping[str, int]]) -> list[HistogramBin]:
    counts = {row["bin"]: row["count"] for row in bins}
    if not counts:
        return []
    edges = [0, *BOUNDS, 10**10]  # bin n of width_bucket is from edge n to the next one
    return [
        HistogramBin.model_validate({"from": edges[n], "to": edges[n + 1], "count": counts.get(n, 0)})
        for n in range(min(counts), max(counts) + 1)
    ]


def _facts_of_postgresql(connection: Connection) -> Mapping[str, Any]:
    columns = ", ".join(ProductResponse.model_fields)
    statement = f"""
WITH groups AS (
    SELECT categoria, count(*) AS count, min(price) AS min, max(price) AS max, sum(price) AS total,
        percentile_cont(ARRAY[0.25, 0.5, 0.75]) WITHIN GROUP (ORDER BY price) AS quartiles
    FROM products GROUP BY GROUPING SETS ((categoria), ())
), bins AS (
    SELECT width_bucket(price, ARRAY{BOUNDS}::numeric[]) AS bin, count(*) AS count FROM products GROUP BY 1
), moments AS (
    SELECT date_bin('{QUARTER_SECONDS} seconds', created_at, 'epoch') AS quarter, count(*) AS count
    FROM products GROUP BY 1 ORDER BY 1 DESC LIMIT {DAYS * 96}
), cheapest AS (
    SELECT {columns} FROM products ORDER BY price, id LIMIT {ENDS}
), dearest AS (
    SELECT {columns} FROM products ORDER BY price DESC, id DESC LIMIT {ENDS}
)
SELECT json_build_object(
    'groups', (SELECT coalesce(json_agg(groups), '[]') FROM groups),
    'bins', (SELECT coalesce(json_agg(bins), '[]') FROM bins),
    'moments', (SELECT coalesce(json_agg(json_build_array(
        extract(epoch FROM quarter)::bigint / {QUARTER_SECONDS}, count)), '[]') FROM moments),
    'cheapest', (SELECT coalesce(json_agg(cheapest ORDER BY price, id), '[]') FROM cheapest),
    'dearest', (SELECT coalesce(json_agg(dearest ORDER BY price DESC, id DESC), '[]') FROM dearest)
)::text
"""  # noqa: S608 - put together from constants
    facts: dict[str, Any] = json.loads(connection.execute(text(statement)).scalar_one(), parse_float=Decimal)
    return facts | {end: [_product(row) for row in facts[end]] for end in ("cheapest", "dearest")}


def _product(row: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return a row that came as JSON as one that came by itself would be."""
    moments = {name: datetime.fromisoformat(row[name]) for name in ("created_at", "updated_at")}
    return {**row, "categoria": Categoria(row["categoria"]), **moments}


def _facts(connection: Connection) -> Mapping[str, Any]:
    """Return the same from a database without such functions: every price is read."""
    rows = connection.execute(
        select(Product.categoria, Product.price, Product.created_at).order_by(Product.price)
    ).all()
    groups = []
    for categoria in (None, *Categoria):
        found = [row.price for row in rows if categoria in (None, row.categoria)]
        if found:
            quartiles = [_quantile(found, Fraction(quarter, 4)) for quarter in (1, 2, 3)]
            group = {"categoria": categoria and categoria.value, "count": len(found), "total": sum(found)}
            groups.append(group | {"min": found[0], "max": found[-1], "quartiles": quartiles})
    bins = Counter(sum(price >= bound for bound in BOUNDS) for price in (row.price for row in rows))
    moments = Counter(int(row.created_at.timestamp()) // QUARTER_SECONDS for row in rows)
    cheapest, dearest = (
        connection.execute(select(*COLUMNS).order_by(*order).limit(ENDS)).mappings().all()
        for order in ((Product.price, Product.id), (Product.price.desc(), Product.id.desc()))
    )
    return {
        "cheapest": cheapest,
        "dearest": dearest,
        "groups": groups,
        "bins": [{"bin": n, "count": count} for n, count in bins.items()],
        "moments": sorted(moments.items(), reverse=True)[: DAYS * 96],
    }


def _quantile(ordered: Sequence[Decimal], share: Fraction) -> Decimal:
    """Return what so large a share of some prices does not exceed, as percentile_cont and spreadsheets have it."""
    place = (len(ordered) - 1) * share
    below, beyond = int(place), place - int(place)
    step = ordered[min(below + 1, len(ordered) - 1)] - ordered[below]
    return ordered[below] + step * beyond.numerator / beyond.denominator
