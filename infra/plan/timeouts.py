"""How long the parts between a browser and a container wait for each other.

The application has its own: `tests/infra/test_agreements.py` holds the two against each other.
"""

REQUEST_SECONDS = 60
"""The load balancer and CloudFront wait so long for the next byte, Service Connect's proxy for the whole answer.

It is the most that CloudFront takes without a raised quota, and the load balancer's own default. 15 s is the proxy's.
"""

CLOUDFRONT_KEEP_ALIVE_SECONDS = 30
"""Less than the load balancer keeps an idle connection, so that CloudFront never sends into one that is closing."""

DEREGISTRATION_SECONDS = 30
"""For requests under way when a task is replaced; the load balancer's own default is five minutes."""
