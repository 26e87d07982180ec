"""How many requests start in a turn of the event loop."""

import asyncio
from functools import partial

from app.api.starts import OF_TURN, Starts


def test_a_turn_starts_a_few_requests_in_the_order_in_which_they_came() -> None:
    async def turns() -> list[list[int]]:
        starts, started, seen = Starts(), list[int](), []
        for n in range(2 * OF_TURN + 1):
            starts.add(partial(started.append, n))
        for _ in range(3):
            seen.append(list(started))
            await asyncio.sleep(0)
        starts.add(partial(started.append, -1))  # at once again, since none waits
        seen.append(started)
        return seen

    first, second, third, last = asyncio.run(turns())
    assert (len(first), len(second)) == (OF_TURN, 2 * OF_TURN)
    assert third == list(range(2 * OF_TURN + 1))
    assert last == [*third, -1]
