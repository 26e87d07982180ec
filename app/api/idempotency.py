"""`Idempotency-Key`: a create that is sent again gets the first one's answer, from whichever process it reaches."""

import hashlib
import json
from datetime import timedelta
from typing import Annotated

from anyio import to_thread
from fastapi import Header, Response
from pydantic import StringConstraints
from sqlalchemy import Connection, Engine, delete, func, insert, select, update
from sqlalchemy.exc import IntegrityError

from app.api import crud
from app.api.database import Database, transaction
from app.api.errors import ReusedKeyError
from app.api.models import IdempotencyKey
from app.api.responses import created_response
from app.api.schemas import ProductCreate

LIFETIME = timedelta(hours=24)
CLEANED = 10  # expired keys that a create removes: more than it makes, so they never pile up

Key = Annotated[
    Annotated[str, StringConstraints(pattern=r"^[\x21-\x7e]{1,255}$")] | None,
    Header(
        description="Any text of up to 255 visible ASCII characters, a new one for every product: a create that is "
        "sent again with it within 24 hours gets the first answer and creates nothing",
        examples=["2f1c1b1e-6f0a-4b57-9d0c-0a5f3a2f8f11"],
    ),
]


async def create_product(database: Database, new: ProductCreate, caller: str, key: str | None) -> Response:
    """Create a product; with a key only once, and then answer as the first create was answered.

    Raises:
        ReusedKeyError: the caller's key came with another body before.
    """
    if key is None:
        return created_response(await crud.create_product(database, new))
    return await to_thread.run_sync(_create_once, database.engine, new, caller, key)


def _create_once(engine: Engine, new: ProductCreate, caller: str, key: str) -> Response:
    """Take the key in the create's own transaction: of two at the same time the second waits for the first."""
    request_hash = hashlib.sha256(new.model_dump_json().encode()).digest()
    with transaction(engine) as connection:
        _remove_expired(connection)
        first = _take(connection, caller, key, request_hash)
        if first is not None:
            kept_hash, kept = first
            if kept_hash != request_hash:
                raise ReusedKeyError
            answer = json.loads(kept)
            return Response(answer["body"], 201, answer["headers"], "application/json")
        response = created_response(connection.execute(crud.CREATE.statement, crud.values(new)).mappings().one())
        headers = {name: response.headers[name] for name in ("etag", "location")}
        kept = json.dumps({"headers": headers, "body": bytes(response.body).decode()}).encode()
        mine = (IdempotencyKey.caller == caller) & (IdempotencyKey.key == key)
        connection.execute(update(IdempotencyKey).where(mine).values(answer=kept))
    return response


def _take(connection: Connection, caller: str, key: str, request_hash: bytes) -> tuple[bytes, bytes] | None:
    """Take the key; return the hash and answer it was taken with when it was taken before."""
    mine = (IdempotencyKey.caller == caller) & (IdempotencyKey.key == key)
    connection.execute(delete(IdempotencyKey).where(mine, IdempotencyKey.created_at < _oldest(connection)))
    values = {"caller": caller, "key": key, "request_hash": request_hash, "answer": b""}
    try:
        with connection.begin_nested():
            connection.execute(insert(IdempotencyKey).values(values))
    except IntegrityError:
        kept = connection.execute(select(IdempotencyKey.request_hash, IdempotencyKey.answer).where(mine)).one()
        return kept.request_hash, kept.answer
    return None


def _remove_expired(connection: Connection) -> None:
    expired = (
        select(IdempotencyKey.caller, IdempotencyKey.key)
        .where(IdempotencyKey.created_at < _oldest(connection))
        .limit(CLEANED)
    )
    if connection.dialect.name == "postgresql":
        expired = expired.with_for_update(skip_locked=True)  # several creates do not wait for each other here
    for row in connection.execute(expired).all():
        connection.execute(
            delete(IdempotencyKey).where(IdempotencyKey.caller == row.caller, IdempotencyKey.key == row.key)
        )


def _oldest(connection: Connection) -> object:
    """Return the time before which a key has expired, by the database's own clock."""
    if connection.dialect.name == "postgresql":
        return func.now() - LIFETIME
    return func.datetime("now", f"-{LIFETIME.total_seconds():.0f} seconds")
