"""What clients were told about the products they created, to compare it with the database afterwards."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from faults.client import Answer
from faults.postgres import Postgres


@dataclass(frozen=True)
class Comparison:
    """Of the products that clients sent: how many, by what they were told and what the database holds."""

    acknowledged: int
    missing: int  # acknowledged, and not there
    doubled: int  # there more than once
    unknown: int  # no answer, or one that says nothing about it
    unknown_stored: int
    denied: int  # refused, or told to try again, and there all the same


@dataclass
class Ledger:
    """Every product has a name of its own; a name is in one of the sets once its client has given up asking."""

    acknowledged: set[str] = field(default_factory=set)
    unknown: set[str] = field(default_factory=set)
    refused: set[str] = field(default_factory=set)
    _made: int = 0

    def product(self) -> dict[str, Any]:
        """Return a product with a new name."""
        self._made += 1
        return {
            "name": f"ledger {self._made}",
            "description": None,
            "price": 19.9,
            "categoria": "Móveis",
            "email_fornecedor": "vendas@fornecedor.example.com",
        }

    def enter(self, product: Mapping[str, Any], answer: Answer, *, keyed: bool) -> None:
        """Note the last answer to a create.

        With an Idempotency-Key to try again is safe whatever became of it; without one, an answer that invites it has
        to be true.
        """
        name = product["name"]
        if answer.status == 201:
            self.acknowledged.add(name)
        elif 400 <= answer.status < 500 or (answer.status == 503 and "retry-after" in answer.headers and not keyed):
            self.refused.add(name)
        else:
            self.unknown.add(name)

    def compare(self, postgres: Postgres) -> Comparison:
        """Compare it with the database, which is at rest by now."""
        rows = postgres.execute("SELECT name, count(*) FROM products WHERE name LIKE 'ledger %' GROUP BY name")
        stored = dict(rows)
        return Comparison(
            acknowledged=len(self.acknowledged),
            missing=len(self.acknowledged - stored.keys()),
            doubled=sum(1 for count in stored.values() if count > 1),
            unknown=len(self.unknown),
            unknown_stored=len(self.unknown & stored.keys()),
            denied=len(self.refused & stored.keys()),
        )
