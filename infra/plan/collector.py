"""The container that passes traces on to AWS X-Ray, beside those of a service: the AWS Distro for OpenTelemetry's.

The image, and that `--config` takes `env:` and a variable's name: AWS Distro for OpenTelemetry, "Confmap providers" and
the repository aws-observability/aws-otel-collector. What X-Ray lets a collector do: AWS X-Ray Developer Guide, "AWS
managed policies", AWSXRayDaemonWriteAccess, of which the sampling rules are left out: the services have their own.
"""

from collections.abc import Mapping

NAME = "aws-otel-collector"
IMAGE = "public.ecr.aws/aws-observability/aws-otel-collector:v0.47.0"
CONFIGURATION = "AOT_CONFIG_CONTENT"  # the variable that has it
COMMAND = (f"--config=env:{CONFIGURATION}",)
MEMORY_MIB = 256
ACTIONS = ("xray:PutTelemetryRecords", "xray:PutTraceSegments")  # IAM cannot limit them to a resource

# What may wait is bounded by memory_limiter: it refuses spans, whose sender tries again and then drops them.
CONFIG = """\
receivers:
  otlp:
    protocols:
      http:
        endpoint: 127.0.0.1:4318
processors:
  memory_limiter:
    check_interval: 1s
    limit_mib: 160
    spike_limit_mib: 40
  batch:
    timeout: 1s
    send_batch_size: 50
exporters:
  awsxray: {}
service:
  pipelines:
    traces:
      receivers: [otlp]
      processors: [memory_limiter, batch]
      exporters: [awsxray]
"""


def variables(stack_name: str, service: str) -> Mapping[str, str]:
    """Return OpenTelemetry's variables for a service that has the collector beside it; its own take precedence."""
    return {
        "OTEL_TRACES_EXPORTER": "otlp",
        "OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:4318",
        "OTEL_SERVICE_NAME": f"{stack_name}-{service}",
        "OTEL_TRACES_SAMPLER": "parentbased_traceidratio",
        "OTEL_TRACES_SAMPLER_ARG": "0.1",  # X-Ray is paid by the trace
    }
