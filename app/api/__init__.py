"""The API: create, read, update and delete products."""
