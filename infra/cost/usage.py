"""How much an application is used: what no template says, so assumed, and said with every sum that it goes into."""

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Usage:
    """A month of an application; the numbers of traffic are for the fewest tasks, and grow with them."""

    requests_million: float = 1
    """Requests through the load balancer."""

    answer_kb: float = 13
    """An answer: a page of 50 products as JSON."""

    log_bytes_per_request: float = 300
    """A line of the access log, and its share of others."""

    flow_log_gb: float = 1
    """Flow logs of the network."""

    fetched_gb: float = 2
    """What tasks fetch through NAT gateways: secrets, tokens, keys. Images come from S3, past them."""

    metrics_per_cluster: int = 30
    metrics_per_service: int = 30
    metrics_per_task: int = 15
    metrics_per_container: int = 15
    """Container Insights with enhanced observability: a guess, not counted on AWS."""

    database_log_gb: float = 0.5
    """The server's log, and the operating system's metrics once a minute."""

    users: int = 100
    """People who sign in."""

    efs_gb: float = 5
    """In volumes."""

    scheduled_hours: float = 30
    """That each scheduled task runs: an hour a day."""

    @property
    def answers_gb(self) -> float:
        """All answers together."""
        return self.requests_million * self.answer_kb

    @property
    def request_log_gb(self) -> float:
        """What the requests write into logs."""
        return self.requests_million * self.log_bytes_per_request / 1000

    def sentences(self) -> list[str]:
        """Return what is assumed, for a reader."""
        return [
            f"{self.requests_million:g} million requests a month at the fewest tasks, in proportion at the most; "
            f"{self.answer_kb:g} kB an answer, {self.log_bytes_per_request:g} bytes of log each",
            f"{self.flow_log_gb:g} GB of flow logs, {self.fetched_gb:g} GB fetched through NAT gateways, "
            f"{self.database_log_gb:g} GB of the database's logs, {self.users} people who sign in",
            f"Container Insights: {self.metrics_per_cluster} metrics of the cluster, "
            f"{self.metrics_per_service} of each service, {self.metrics_per_task} of each task, "
            f"{self.metrics_per_container} of each container",
        ]
