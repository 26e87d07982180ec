"""What a visitor reads when a request failed."""

import pytest

from app.ui import errors
from app.ui.client.api_models import ApiError, Failure
from app.ui.texts import LANGUAGES, Texts


@pytest.mark.parametrize("texts", LANGUAGES.values(), ids=[*LANGUAGES])
def test_what_stands_in_front_of_the_api_and_refuses_is_told_from_the_api(texts: Texts) -> None:
    in_front = ApiError(Failure.NOT_THE_API, "403 Forbidden", status=403)
    by_the_api = ApiError(Failure.REFUSED, "No.", status=403)

    assert errors.sentence(in_front, texts) == texts.refused_in_front
    assert errors.sentence(by_the_api, texts) == texts.no_permission
