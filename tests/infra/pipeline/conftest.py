"""As for the operations: no region and no credentials from outside, and a CDK CLI that only writes down."""

from tests.infra.operations.conftest import cdk, no_region

__all__ = ["cdk", "no_region"]
