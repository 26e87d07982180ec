"""A few pages at a time are put together; nobody waits for ever, and a turn is given back however it ends."""

import threading
from contextlib import ExitStack

import pytest

from app.ui import turns


def test_as_many_as_there_are_turns_have_one_and_the_next_waits_for_the_first_to_end(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(turns, "PATIENCE_SECONDS", 30)
    went_on = threading.Event()

    def next_one() -> None:
        with turns.turn():
            went_on.set()

    with ExitStack() as others:
        for _ in range(turns.AT_ONCE - 1):
            others.enter_context(turns.turn())
        with turns.turn():
            thread = threading.Thread(target=next_one)
            thread.start()
            assert not went_on.wait(0.2)
        assert went_on.wait(30)
        thread.join()


def test_who_has_waited_long_enough_goes_on_without_and_gives_none_back(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(turns, "PATIENCE_SECONDS", 0.01)
    with ExitStack() as others:
        for _ in range(turns.AT_ONCE):
            others.enter_context(turns.turn())
        with turns.turn():
            pass
        with turns.turn():  # which would raise if more were given back than there are
            pass


def test_a_turn_is_given_back_when_its_page_ends_with_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(turns, "PATIENCE_SECONDS", 0.01)
    for _ in range(turns.AT_ONCE + 1):
        with pytest.raises(RuntimeError), turns.turn():
            raise RuntimeError
    free = 0
    while turns._turns.acquire(blocking=False):
        free += 1
    for _ in range(free):
        turns._turns.release()
    assert free == turns.AT_ONCE
