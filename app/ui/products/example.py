"""The example products, for a visitor who meets an empty catalogue."""

from app.example_products import example_file
from app.ui.client.api_client import ApiClient


def load(client: ApiClient) -> int:
    """Create the example products, all or none, and return how many they are; raises ApiError.

    Where there are products it creates none: a second click comes after the first one's have been created.
    """
    if client.list_products(limit=1).products:
        return 0
    return client.import_products([example_file()], skip_refused=False).created
