"""How long requests take, by how busy a task is: a queue before one server (M/M/1), whose requests come at random.

Of such a queue the time in it and in service is exponential with the mean S / (1 - ρ), for a service time S and a
utilisation ρ (Kleinrock, Queueing Systems, volume 1, section 3.2). What a request takes besides, in the database and on
the way, is added as it is without load. `make bench PART=capacity` holds the model against a measured curve.
"""

import math

_SHARE = 0.95


def p95_seconds(rate: float, capacity: float, unloaded: float) -> float:
    """Return the seconds that 95 of 100 requests take at most.

    `rate` and `capacity` are requests per second; `unloaded` the seconds of a request that waits for no other.
    At and beyond the capacity the queue grows without end: infinity.
    """
    utilisation = rate / capacity
    if utilisation >= 1:
        return math.inf
    service = 1 / capacity
    queued = service / (1 - utilisation) * -math.log(1 - _SHARE)
    # Without load that is the spread of the service time alone, which `unloaded` has in it.
    return unloaded + queued - service * -math.log(1 - _SHARE)
