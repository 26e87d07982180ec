"""The list of products, their dialogs, and the catalogue in charts."""
