"""Amazon Cognito's pages, keys and tokens are where a user pool's discovery document says: at the pool's own domain.

The emulator has them all, but names an address of its own.
"""

import json
from collections.abc import Callable
from typing import Any

from infra.rehearsal.launcher.internals import cognito, replace

ISSUERS = "cognito-idp.us-east-1.amazonaws.com"
"""The host that has the discovery documents and the keys of a region's user pools."""


def install() -> None:
    """Have discovery documents name the addresses that Cognito has."""
    replace(cognito, "well_known_openid_configuration", _at_its_domain)


def hosts() -> list[str]:
    """Return the hosts at which there is something of Cognito's, of every user pool."""
    pools = cognito._user_pools.values()
    return [ISSUERS, *(_host(pool) for pool in pools if pool.get("Domain"))]


def _host(pool: dict[str, Any]) -> str:
    return str(cognito._pool_domain_base_url(pool).removeprefix("https://"))


def _at_its_domain(configuration: Callable[..., Any]) -> Callable[..., Any]:
    def at_its_domain(pool_id: str, *_others: Any) -> Any:
        pool = cognito._get_pool_unscoped(pool_id)
        status, headers, body = configuration(pool_id, None, _host(pool), "https")
        document = json.loads(body)
        document["jwks_uri"] = f"{document['issuer']}/.well-known/jwks.json"
        return status, headers, json.dumps(document).encode()

    return at_its_domain
