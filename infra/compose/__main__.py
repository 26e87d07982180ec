"""`python -m infra.compose` prints what becomes of each key of a compose file, as docs/compose-keys.md."""

from infra.compose.keys import markdown

print(markdown(), end="")
