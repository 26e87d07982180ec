"""The identity provider is slow, broken or says rubbish, while people with good tokens work."""

import asyncio
import time

from faults.client import Answer, ask
from faults.identity import Mood
from faults.trial import Trial, experiment

STRANGERS = 8


@experiment("identity-provider-slow", seconds=(20, 4), answers_in=15)
async def identity_provider_slow(trial: Trial) -> None:
    """Eight strangers send tokens of unknown keys while the provider answers nothing.

    Expected: who has a good token notices nothing; the strangers get 401 or 503 soon.
    """
    await _mood(trial, "slow")


@experiment("identity-provider-broken", long_only=True, seconds=(10, 2), answers_in=15)
async def identity_provider_broken(trial: Trial) -> None:
    """The same while the provider answers 500 to everything."""
    await _mood(trial, "broken")


@experiment("identity-provider-garbage", long_only=True, seconds=(10, 2), answers_in=15)
async def identity_provider_garbage(trial: Trial) -> None:
    """The API starts while the provider's discovery document is rubbish; later it is well.

    Expected: 503 for its tokens until then, no 500, and the service token works all the time.
    """
    provider, api = trial.system.provider, trial.system.api
    provider.mood = "garbage"
    try:
        await asyncio.to_thread(api.stop)
        await asyncio.to_thread(api.start, api.environment)
        for _ in range(3):
            person = await _as(trial, provider.token())
            trial.expect(person.status == 503, f"a token is answered {person.status} while discovery is rubbish")
            service = await trial.ask("GET", "/products/1")
            trial.expect(service.status == 200, f"the service token is answered {service.status}")
            await asyncio.sleep(trial.seconds / 6)
    finally:
        provider.mood = "well"
    started = time.monotonic()
    while (await _as(trial, provider.token(), counted=False)).status != 200 and time.monotonic() - started < 60:
        await asyncio.sleep(0.2)
    trial.goal("good tokens work again after, s", time.monotonic() - started, at_most=35)


async def _mood(trial: Trial, mood: Mood) -> None:
    provider = trial.system.provider
    token = provider.token()
    known = await _as(trial, token)
    trial.expect(known.status == 200, f"a good token is answered {known.status}")
    await asyncio.sleep(0 if trial.short else 31)  # unknown keys are not asked for more often than that
    provider.mood = mood
    end = time.monotonic() + trial.seconds
    try:
        strangers = [asyncio.create_task(_stranger(trial, number, end)) for number in range(STRANGERS)]
        slowest = slowest_list = 0.0
        while time.monotonic() < end:
            person = await _as(trial, token)
            listed = await trial.ask("GET", "/products/?limit=5")
            slowest, slowest_list = max(slowest, person.seconds), max(slowest_list, listed.seconds)
            trial.expect(person.status == 200, f"a good token is answered {person.status or 'by nothing'}")
            trial.expect(listed.status == 200, f"a list is answered {listed.status or 'by nothing'}")
            await asyncio.sleep(0.1)
        trial.goal("a good token's slowest answer, s", slowest, at_most=1)
        trial.goal("the slowest list, s", slowest_list, at_most=1)
    finally:
        provider.mood = "well"
    await asyncio.gather(*strangers)


async def _stranger(trial: Trial, number: int, end: float) -> None:
    while time.monotonic() < end:
        answer = await _as(trial, trial.system.provider.token(key_id=f"unknown-{number}-{time.monotonic()}"))
        trial.expect(answer.status in (401, 503, 0), f"a stranger is answered {answer.status}")
        await asyncio.sleep(0.05)


async def _as(trial: Trial, token: str, *, counted: bool = True) -> Answer:
    headers = {"Authorization": f"Bearer {token}"}
    answer = await ask(trial.system.api.url, "GET", "/products/1", headers=headers)
    if counted:
        trial.clients.tally.enter(answer)
    return answer
