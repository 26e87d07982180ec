"""How long the parts between a browser and a container wait for each other.

The application has its own: `tests/infra/test_agreements.py` holds the two against each other.
"""

REQUEST_SECONDS = 60
"""The load balancer and CloudFront wait so long for the next byte.

It is the most that CloudFront takes without a raised quota, and the load balancer's own default.
"""

NO_LIMIT = 0
"""On the whole answer, for Service Connect's proxy: its own default of 15 s would cut every long download.

Its limit on silence, 5 minutes, stays.
"""

CLOUDFRONT_KEEP_ALIVE_SECONDS = 30
"""Less than the load balancer keeps an idle connection, so that CloudFront never sends into one that is closing."""

HEALTH_CHECK_SECONDS = 5
"""Between two questions of the load balancer whether a task is well: the least that it takes."""

WELL_AFTER = 2
"""Good answers in a row after which a new task gets requests: the least that a load balancer takes."""

UNWELL_AFTER = 6
"""Bad ones after which a task is replaced: half a minute in which a neighbour or a slow disk may be the reason."""

REGISTRATION_SECONDS = 60
"""From a task's start until it has been asked, on top of what its own health check gives it: images are pulled."""

DEREGISTRATION_SECONDS = 15
"""For requests under way when a task is replaced; what is stopped then has its own grace period on top.

The load balancer's own default is five minutes.
"""
