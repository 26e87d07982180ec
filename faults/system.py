"""Everything that an experiment is done to: PostgreSQL with products in it, the API, the UI, an identity provider."""

import contextlib
from collections.abc import Mapping
from pathlib import Path

from faults import application
from faults.application import Container, Server
from faults.identity import CLIENT_ID, Provider
from faults.postgres import DATABASE, Postgres

SERVICE_TOKEN = "test-service-token-of-the-experiments"
TOKEN = {"Authorization": f"Bearer {SERVICE_TOKEN}"}
API_ROLE = "catalogue_api"
# Some kilobytes each, so that an export is more than what lies in the buffers of a connection that nobody reads.
SEED = """
INSERT INTO products (name, description, price, categoria, email_fornecedor)
SELECT 'seed ' || n, repeat('açãõéí ', 280), n, 'Móveis', 'vendas@fornecedor.example.com' FROM generate_series(1, %s) n
"""


class System:
    """Started by `start`; `sized` says whether the API runs in a container of its compose size."""

    def __init__(self, folder: Path, checkout: Path, provider: Provider, *, products: int) -> None:
        self.folder, self.checkout, self.provider, self.products = folder, checkout, provider, products
        self.postgres: Postgres
        self.sized = False
        self.slots: int | None = None  # what the API had when all was well: see trial.slots
        self._process = Server(checkout, "app.api.main", "API_PORT", "/health/ready", folder / "api.log")
        self._container: Container | None = None
        self.ui = Server(checkout, "app.ui.serve", "UI_PORT", "/_stcore/health", folder / "ui.log")

    @property
    def api(self) -> Server:
        """The API: its process or its container."""
        return self._container if self.sized and self._container else self._process

    def start(self) -> None:
        """Start everything, with the API as a process."""
        self.postgres = Postgres(self.folder / "postgres")
        self.prepare_database(self.postgres)
        self.api.start(self.api_environment())
        self.ui.start({"API_URL": self.api.url, "SERVICE_TOKEN": SERVICE_TOKEN})

    def prepare_database(self, postgres: Postgres) -> None:
        """Migrate a database and put the products in that experiments read and change."""
        owner = {"DATABASE_URL": postgres.url(), "DATABASE_API_USER": API_ROLE}
        log = self.folder / "migrate.log"
        if application.migrate(self.checkout, owner, log).wait():
            raise RuntimeError(f"the database could not be migrated:\n{log.read_text()}")
        postgres.execute(SEED, (self.products,))
        postgres.execute("VACUUM ANALYZE products")

    def api_environment(self, **more: str) -> dict[str, str]:
        """Return the API's variables, with `more` besides or instead."""
        return {
            "DATABASE_URL": self.postgres.url(API_ROLE),
            "SERVICE_TOKEN": SERVICE_TOKEN,
            "OIDC_ISSUER": self.provider.url,
            "OIDC_CLIENT_ID": CLIENT_ID,
            **more,
        }

    def fit(self, environment: Mapping[str, str], *, sized: bool) -> None:
        """Have the API run as an experiment wants it; it goes on as it is where it does already."""
        wanted = self.api_environment(**environment)
        if sized == self.sized and self.api.environment == wanted and self.api.is_running():
            return
        self.api.stop()
        self.sized = sized
        if sized and self._container is None:
            log = self.folder / "api-sized.log"
            self._container = Container(self.checkout, "api", "API_PORT", "/health/ready", log)
        self.api.start(wanted)

    def clean(self) -> None:
        """Remove the products that an earlier experiment made."""
        self.postgres.execute("DELETE FROM products WHERE id > %s", (self.products,))

    def stop(self) -> None:
        """Stop what runs."""
        self.api.stop()
        self.ui.stop()
        with contextlib.suppress(AttributeError):
            self.postgres.stop()


__all__ = ["API_ROLE", "DATABASE", "SERVICE_TOKEN", "TOKEN", "System"]
