"""As for the operations: no region and no credentials from outside; the test says what AWS and the CDK CLI answer."""

from tests.infra.operations.conftest import answers, cdk, no_region

__all__ = ["answers", "cdk", "no_region"]
