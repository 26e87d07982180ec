"""What a template costs a month, and what its tasks carry: sums over the template's JSON and a dated table of prices.

Knows no CDK and asks no AWS; `infra/operations/cost.py` and `capacity.py` are the commands.
"""
