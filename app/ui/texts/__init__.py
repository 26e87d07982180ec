"""Every word the UI says, a file for each language. What the API says is shown as the API says it."""

from app.ui.texts.english import ENGLISH
from app.ui.texts.portuguese import PORTUGUESE
from app.ui.texts.texts import Texts

__all__ = ["ENGLISH", "LANGUAGES", "PORTUGUESE", "Texts"]

LANGUAGES = {"pt": PORTUGUESE, "en": ENGLISH}  # the first one is the default
