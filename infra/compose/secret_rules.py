"""By which name or form a value is a secret, and what to write instead.

Own rules, tested by tests/infra/compose/test_secret_rules.py: detect-secrets, the kept library of this kind, knows
lines of source code, where its keywords miss SMTP_PASS, MYSQL_PWD, FERNET_KEY and SECRET_KEY_BASE and take every
`password:` of a text for one.
"""

import re

_WORDS = re.compile(r"[A-Z]?[a-z0-9]+|[A-Z0-9]+(?![a-z])|[A-Z]")
_LAST = {"PASS", "PWD", "PASSWORD", "PASSWD", "PASSPHRASE", "SECRET", "SECRETS", "TOKEN", "CREDENTIALS", "APIKEY"}
# PGPASSWORD, DBPASS, AUTHTOKEN: written in one word.
_ENDING = re.compile(r"[A-Z]+(PASSWORD|PASSWD|PASS|PWD|SECRET|TOKEN|APIKEY|SECRETKEY)")
_NO_SECRETS = re.compile(r"(BY|TRES|COM|OVER|SUR|UNDER|TRANS)PASS|.*COMPASS")
_KEYS = {
    *("API", "SECRET", "PRIVATE", "ACCESS", "MASTER", "ENCRYPTION", "ENCRYPT", "FERNET", "SIGNING", "SIGN", "AUTH"),
    *("SERVICE", "ACCOUNT", "LICENSE", "JWT", "COOKIE", "SESSION", "HMAC", "WEBHOOK", "DEPLOY", "STORAGE", "APP"),
}
# A place in a list, not a key to a door.
_PLACES = {"NEXT", "PREVIOUS", "PREV", "PAGE", "CONTINUATION", "CANCEL", "CANCELLATION", "SYNC", "STOP", "EOS", "BOS"}

_PASSWORD_IN_URL = re.compile(r"(?P<before>\w://[^/\s:@]*:)(?!\d+/)(?P<password>[^\s@]+)@")
_PASSWORD_IN_DSN = re.compile(r"(?P<before>(?:^|[?&;\s])(?:password|passwd|pwd)\s*=\s*)[^\s&;]+", re.IGNORECASE)
_FORMS = {
    "a private key": r"-----BEGIN [A-Z ]*PRIVATE KEY",
    "an access key of AWS": r"\b(AKIA|ASIA)[0-9A-Z]{16}\b",
    "a token of GitHub": r"\b(gh[pousr]_\w{20,}|github_pat_\w{20,})",
    "a token of GitLab": r"\bglpat-[\w-]{20,}",
    "a token of Slack": r"\bxox[abeoprs]-[\w-]{10,}",
    "a key of Stripe": r"\b[rs]k_(live|test)_\w{10,}",
    "a key of an AI service": r"\bsk-(ant-|proj-)?[\w-]{20,}",
    "a key of Google": r"\bAIza[\w-]{35}",
    "a key of SendGrid": r"\bSG\.[\w-]{16,}\.[\w-]{16,}",
    "a signed token": r"\beyJ[\w-]{10,}\.eyJ[\w-]{10,}\.[\w-]+",
}

# What an application makes up for itself, so that any random text will do. Other names stand for somebody's door.
_OWN = re.compile(
    r"(.*_)?((SESSION|COOKIE|JWT|APP|FLASK|DJANGO|CSRF|SIGNING|SECRET)_(SECRET|KEY|PASSWORD)|SECRET)(_BASE)?"
)


def is_secret_name(name: str) -> bool:
    """Say whether what has this name is a secret, in whatever style it is written (SMTP_PASS, smtp.pass, smtpPass)."""
    words = [word.upper() for word in _WORDS.findall(name)]
    if not words:
        return False
    *before, last = words
    if last == "TOKEN" and before and before[-1] in _PLACES:
        return False
    if last in _LAST or (_ENDING.fullmatch(last) and not _NO_SECRETS.fullmatch(last)):
        return True
    return (last == "KEY" and bool(before) and before[-1] in _KEYS) or words[-3:] == ["SECRET", "KEY", "BASE"]


def secret_in(name: str, value: str) -> str | None:
    """Return why `value`, which has this name, must not be read by everybody who may look at AWS; None: it may be."""
    for what, form in _FORMS.items():
        if re.search(form, value):
            return f"holds {what}, readable on AWS"
    if _PASSWORD_IN_URL.search(value):
        return "holds a URL with a password, readable on AWS"
    if _PASSWORD_IN_DSN.search(value):
        return "holds an address with a password, readable on AWS"
    if value and is_secret_name(name) and not value.startswith(("/", "./")):  # the path of a file that has it
        return "is a secret by its name, and its value would be readable on AWS"
    return None


def masked(text: str) -> str:
    """Return `text` without the passwords of the URLs and addresses in it."""
    return _PASSWORD_IN_DSN.sub(r"\g<before>***", _PASSWORD_IN_URL.sub(r"\g<before>***@", text))


def is_own(name: str, value: str) -> bool:
    """Say whether any random text will do for this secret, because the application alone knows it."""
    return bool(_OWN.fullmatch(name.upper())) and "://" not in value


def instead(name: str, value: str) -> str:
    """Return what to write for a variable that carries a secret."""
    words = [word.lower() for word in _WORDS.findall(name)]
    if is_own(name, value):
        return f"Write x-aws: {{secrets: {{{name}: {'-'.join(words)}}}}}, and the stack makes a random one."
    existing = "_".join(words)  # no hyphens: in front of six characters they are not told from an ARN's end
    return (
        f"Write x-aws: {{secrets: {{{name}: {{existing: {existing}}}}}}}, and put its value into AWS Secrets Manager"
        f" with make secret NAME={existing}; or remove it on AWS with x-aws: {{environment: {{{name}: null}}}}."
    )
