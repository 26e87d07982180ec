"""The product catalogue: an API, a web UI, and what runs both on a laptop."""
