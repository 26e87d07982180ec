"""What a rehearsal cannot show: everything in which the emulated AWS differs from AWS for this project.

Each entry says what is different and, where something else covers it, what does. `launcher/` is what it does bridge.
"""

ALWAYS = (
    "IAM: every call is allowed; policies are checked by the stack's tests.",
    "Networks: routes and NAT gateways are recorded, and lead nowhere.",
    "CloudFront keeps nothing but errors and runs no functions; a web ACL filters nothing.",
    "Cognito sends no e-mail, and its pages look other than on AWS.",
    "Metrics and alarms: nothing measures, so no alarm goes off or takes a deployment back, and nothing is scaled.",
    "Traces: the collector of monitoring.traces is left out, and the services say in their logs that it is not there.",
    "RDS: no Multi-AZ, no backups by the clock, so no way back to a moment, and no maintenance.",
    "Time: nothing takes as long as on AWS, where a first deployment is 20 to 40 minutes.",
)

WITH_ENGINE = (
    "Images are entered in ECR without being pushed: tasks run the engine's own copy.",
    "Tasks: memory is limited, CPU is not; the containers of a task share no scratch volumes.",
    "Sessions: a stand-in for AWS's plugin goes by the engine into the same container and its network; there is no "
    "agent and no data channel, and `exec` ends as its command does; AWS's plugin may end with 0 whatever it did.",
    "EFS is a volume of the engine: a file belongs to who writes it, not to the access point's user, and any task that "
    "names a volume writes to it.",
    "EventBridge Scheduler: nothing runs by the clock; each task that would is run once by its state machine.",
    "Security groups: the emulator stands for everybody outside, and every range of an ingress rule includes it.",
    "The database: a member of rds_iam signs in with whatever token (tests/api/test_database_access.py has real ones).",
    "Service Connect's proxy is Envoy as on AWS, but does not leave out tasks whose connections fail, nor count them.",
    "The load balancer is an Envoy, which asks targets every second and whose own errors look other than on AWS.",
)

WITHOUT_ENGINE = (
    "Without a Docker engine images are not built, and tasks, the database and its snapshots are records, and security "
    "groups forbid nothing: start one to see them run.",
)


def gaps(*, containers: bool) -> tuple[str, ...]:
    """What differs, one sentence each, with or without an engine to run containers."""
    return ALWAYS + (WITH_ENGINE if containers else WITHOUT_ENGINE)
