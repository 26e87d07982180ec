"""The API: create, read, update and delete products."""

__version__ = "1.0.0"  # pyproject.toml's, which is in no image
