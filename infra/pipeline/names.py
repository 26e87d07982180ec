"""What the pipeline's stack and GitHub's identity provider are called, for who makes the stack and who looks for it."""

ISSUER = "token.actions.githubusercontent.com"
"""GitHub Docs, "Configuring OpenID Connect in Amazon Web Services"."""


def stack_name(project: str) -> str:
    """Return what the stack is called."""
    return f"{project}-pipeline"
