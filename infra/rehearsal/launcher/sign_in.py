"""Amazon Cognito's pages, keys and tokens are where a user pool's discovery document says: at the pool's own domain.

The emulator has them all, but names an address of its own, and its pages ask for no second factor: where the pool
requires one, they have everybody set up an authenticator app here, and then ask for its code.
"""

import base64
import json
import secrets
from collections.abc import Callable
from html import escape
from typing import Any
from urllib.parse import parse_qsl

from infra.rehearsal.launcher.internals import cognito, replace

ISSUERS = "cognito-idp.us-east-1.amazonaws.com"
"""The host that has the discovery documents and the keys of a region's user pools."""


_HTML = {"Content-Type": "text/html; charset=utf-8", "Cache-Control": "no-store"}
_MOST_WAITING = 100

_waiting: dict[str, tuple[Any, ...]] = {}
"""By a token of its own: what an authorization code is issued for, once the second factor is there."""


def install() -> None:
    """Have discovery documents name the addresses that Cognito has, and second factors be asked for."""
    replace(cognito, "well_known_openid_configuration", _at_its_domain)
    issue = cognito._issue_auth_code_redirect
    replace(cognito, "_issue_auth_code_redirect", _after_the_second_factor)
    replace(cognito, "handle_login_submit", lambda submit: _with_codes(submit, issue))


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


def _after_the_second_factor(issue: Callable[..., Any]) -> Callable[..., Any]:
    def after_the_second_factor(*request: Any) -> Any:
        _, pool_id, _, _, username, *_ = request
        pool = cognito._get_pool_unscoped(pool_id)
        if pool.get("MfaConfiguration") != "ON":
            return issue(*request)
        token = secrets.token_urlsafe()
        _waiting[token] = request
        if len(_waiting) > _MOST_WAITING:
            del _waiting[next(iter(_waiting))]
        return _page(token, cognito._resolve_user(pool, username)[0])

    return after_the_second_factor


def _with_codes(submit: Callable[..., Any], issue: Callable[..., Any]) -> Callable[..., Any]:
    def with_codes(method: str, path: str, headers: Any, body: bytes, query_params: Any) -> Any:
        form = dict(parse_qsl(body.decode(errors="replace")))
        request = _waiting.get(form.get("mfa_token", ""))
        if request is None:
            return submit(method, path, headers, body, query_params)
        _, pool_id, _, _, username, *_ = request
        user = cognito._resolve_user(cognito._get_pool_unscoped(pool_id), username)[0]
        secret = user.get("_totp_secret") or user["_totp_pending_secret"]
        if not cognito._totp_matches(secret, form.get("code", "")):
            return _page(form["mfa_token"], user, "Invalid code received for user")
        user |= {"_totp_secret": secret, "_mfa_enabled": ["SOFTWARE_TOKEN_MFA"]}
        del _waiting[form["mfa_token"]]
        return issue(*request)

    return with_codes


def _page(token: str, user: dict[str, Any], error: str = "") -> Any:
    """Return the page that asks for a code, with the secret of the app where it is not set up yet."""
    setup = ""
    if not user.get("_totp_secret"):
        secret = user.setdefault("_totp_pending_secret", base64.b32encode(secrets.token_bytes(20)).decode())
        setup = f'<label for="secret">Secret key</label><input type="text" id="secret" value="{secret}" readonly>'
    form = f"""{f'<div class="error">{escape(error)}</div>' if error else ""}
<form method="POST" action="/login"><input type="hidden" name="mfa_token" value="{escape(token)}">{setup}
<label for="code">Code</label><input type="text" id="code" name="code" autocomplete="one-time-code" required>
<button type="submit">Sign in</button></form>"""
    heading = "Set up an authenticator app" if setup else "Enter the code of your authenticator app"
    return 200, dict(_HTML), cognito._page_shell(heading, heading, form).encode()
