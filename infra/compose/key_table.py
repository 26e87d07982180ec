"""Every key of the Compose specification and what becomes of it on AWS: the one table that the reader obeys.

A dotted key may hold `*` (any name) and `[]` (any item of a list). A key covers everything below it unless keys below
it are in the table too. Names that start with `x-`, other than a service's `x-aws`, are for people and anchors.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum


class Treatment(StrEnum):
    """What the reader does with a key."""

    MAPPED = "mapped"
    IGNORED = "ignored"
    REFUSED = "refused"


@dataclass(frozen=True)
class Key:
    """One key: `note` says what it becomes, why it is ignored or why it is refused; `instead` is the way out."""

    path: str
    treatment: Treatment
    note: str
    instead: str = ""


def _group(prefix: str, treatment: Treatment, names: str, note: str, instead: str = "") -> Iterator[Key]:
    for name in names.split():
        yield Key(prefix + name, treatment, note, instead)


def _mapped(prefix: str, rows: dict[str, str]) -> Iterator[Key]:
    for names, note in rows.items():
        yield from _group(prefix, Treatment.MAPPED, names, note)


def _ignored(prefix: str, rows: dict[str, str]) -> Iterator[Key]:
    for names, note in rows.items():
        yield from _group(prefix, Treatment.IGNORED, names, note)


def _refused(prefix: str, rows: dict[str, tuple[str, str]]) -> Iterator[Key]:
    for names, (note, instead) in rows.items():
        yield from _group(prefix, Treatment.REFUSED, names, note, instead)


_SERVICE = "services.*."
_NO_HOST = "Fargate gives a container nothing of its host"
_DROP = "Drop the key."

# Limits and gaps are those of "Task definition differences for Fargate" in the Amazon ECS developer guide.
KEYS: tuple[Key, ...] = (
    *_mapped(
        "",
        {
            "name": "the project's name; it must be given, since a folder's name differs from clone to clone",
            "services": "see below",
            "volumes": (
                "one that a service on Fargate names is a directory of an encrypted Amazon EFS file system, which "
                "stays when the stack is removed; others are for the laptop alone"
            ),
            "volumes.*.driver volumes.*.driver_opts volumes.*.external volumes.*.external.name": (
                "refused, but for the driver local, where a service on Fargate names the volume"
            ),
        },
    ),
    *_ignored(
        "",
        {
            "version": "Compose itself no longer reads it",
            "networks": "the stack makes one VPC and lets security groups decide who reaches whom",
            "volumes.*.labels volumes.*.name": "the stack names and tags what it makes",
            "secrets configs": "a service that uses one is refused",
        },
    ),
    *_refused(
        "",
        {
            "include": (
                "one file defines the deployment",
                "Drop the key and move the services into this file; anchors (&name, *name) avoid repetition.",
            ),
            "models": (
                "Fargate runs no models",
                "Drop the key and call a model service, such as Amazon Bedrock, from the application.",
            ),
        },
    ),
    *_mapped(
        _SERVICE,
        {
            "build": (
                "an image asset, built by CDK and pushed to Amazon ECR; without it `image` is pulled. It is made from "
                "what the Dockerfile's target copies, never from `.env`, `.git`, `.venv`, `node_modules`, `cdk.out` or "
                "`.data`; and from keys (`*.pem`, `*.key`, `id_rsa*`), `.env*` and dumps (`*.sql.gz`, `*.dump`) only "
                "where the Dockerfile or a `!` line of .dockerignore names the file"
            ),
            "cap_add": "linuxParameters.capabilities.add; Fargate adds SYS_PTRACE and nothing else",
            "cap_drop": "linuxParameters.capabilities.drop",
            "command": "command; clearing the image's own with [] or '' is refused",
            "depends_on": "the order in which services are made; see its conditions below",
            "depends_on.*.condition": (
                "service_completed_successfully: the other service becomes a container that must succeed first, in "
                "the task of each service that waits for it; service_healthy and service_started: the other service "
                "is made first. The managed database is always made first"
            ),
            "depends_on.*.required": "false: a service left out by its profile is not waited for",
            "deploy": "see below",
            "entrypoint": "entryPoint; clearing the image's own with [] or '' is refused",
            "env_file": (
                "environment, below that of `environment`; `.env` itself is refused because it belongs to one laptop"
            ),
            "env_file.[].path env_file.[].required": "as in Compose",
            "environment": (
                "environment. On AWS a variable that `x-aws.rds.variables`, `x-aws.secrets` or `x-aws.sign_in` names "
                "comes from there, and the value here is Compose's alone. A value that looks like a secret is refused, "
                "and so is the URL of another service without `depends_on` on it"
            ),
            "expose": "a container port that other services reach by name",
            "healthcheck": "healthCheck",
            "healthcheck.disable healthcheck.test": (
                "healthCheck.command, with the defaults of Docker for the rest; NONE or disable: none"
            ),
            "healthcheck.interval": "healthCheck.interval, 5 to 300 s",
            "healthcheck.retries": "healthCheck.retries, 1 to 10",
            "healthcheck.start_period": "healthCheck.startPeriod, 0 to 300 s",
            "healthcheck.timeout": "healthCheck.timeout, 2 to 60 s",
            "image": (
                "image, when there is no `build`; one in Amazon ECR by its address, `<account>.dkr.ecr.<region>…`: the "
                "task may pull from that repository, and from no other"
            ),
            "init": "linuxParameters.initProcessEnabled",
            "labels": "dockerLabels",
            "platform": (
                "linux/amd64 or linux/arm64: of an image that is pulled, it must be the environment's `architecture`; "
                "one with `build` is built for that anyway"
            ),
            "ports": "container ports, TCP: reached by other services by name, and from outside with `x-aws.public`",
            "ports.[].protocol ports.[].target": "as `ports`",
            "profiles": "the service is not deployed",
            "read_only": "readonlyRootFilesystem",
            "restart": (
                "a service's tasks are always replaced, whichever policy but `no` is given; a service that others "
                "wait for to complete needs `no` (or none) or `on-failure`, and runs once per task; with "
                "`x-aws.schedule` `on-failure:N` repeats a run that failed up to N times, 3 without a number"
            ),
            "stop_grace_period": "stopTimeout, at most 120 s",
            "tmpfs": "an empty volume of the task's ephemeral storage, mounted at the path; options are refused",
            "ulimits": "ulimits; Fargate takes nofile only",
            "ulimits.*.hard ulimits.*.soft": "as `ulimits`",
            "user": "user; of a service with a volume also who owns what is in it",
            "volumes": (
                "named volumes: mounted from Amazon EFS, encrypted on the way, with the right to that directory "
                "alone. What is in it belongs to the `user` of the first service that names the volume, if that is a "
                "number, and to 1000 otherwise, whoever writes it; nobody can change an owner. It begins empty: "
                "nothing of the image is copied there. A database's data is refused, and so is a bind mount, which "
                "belongs into docker-compose.override.yml"
            ),
            "volumes.[].read_only volumes.[].source volumes.[].target volumes.[].type": "as in Compose",
            "volumes.[].volume": "see below",
            "working_dir": "workingDirectory",
            "x-aws": "see below",
        },
    ),
    *_ignored(
        _SERVICE,
        {
            "annotations": "nothing on Fargate reads them",
            "attach stdin_open tty": "nobody sits at the terminal of a task",
            "container_name": "a container is called like its service",
            "depends_on.*.restart": "tasks find the new tasks of another service by its name, without a restart",
            "develop": "it is for docker compose watch",
            "healthcheck.start_interval": "ECS checks at `interval` from the start",
            "logging": "all logs go to CloudWatch Logs",
            "networks": (
                "every service reaches the others by name through Service Connect, as far as security groups allow"
            ),
            "networks.* networks.*.gw_priority networks.*.interface_name networks.*.priority": (
                "a task has one network interface"
            ),
            "ports.[].app_protocol ports.[].host_ip ports.[].mode ports.[].name ports.[].published": (
                "a load balancer, not the host, receives the traffic"
            ),
            "volumes.[].bind volumes.[].consistency volumes.[].image volumes.[].tmpfs": (
                "only a named volume is mounted; other types are refused"
            ),
            "volumes.[].volume.labels volumes.[].volume.nocopy": "the stack tags what it makes, and copies nothing",
            "pull_policy pull_refresh_after": "ECS pulls the image that the task definition names by its digest",
            "security_opt": (
                "Fargate takes no security options; the options here tighten or loosen the local engine only"
            ),
        },
    ),
    *_refused(
        _SERVICE,
        {
            "blkio_config cpu_count cpu_percent cpu_period cpu_quota cpu_rt_period cpu_rt_runtime cpu_shares cpuset": (
                "Fargate has no such CPU or I/O scheduling",
                "Drop the key; the limit is deploy.resources.limits.cpus.",
            ),
            "cgroup cgroup_parent ipc pid userns_mode uts": (
                f"{_NO_HOST}, its namespaces and control groups included",
                _DROP,
            ),
            "configs": (
                "ECS has no configs",
                "Drop the key and copy the file into the image, or pass its values as environment variables.",
            ),
            "cpus": ("the size of a task comes from deploy", "Write deploy.resources.limits.cpus."),
            "credential_spec isolation": ("it is for Windows containers, and the services here run on Linux", _DROP),
            "device_cgroup_rules devices": (f"{_NO_HOST}, its devices included", _DROP),
            "dns dns_opt dns_search": (
                "Fargate tasks use the DNS of the VPC",
                "Drop the key, or add Route 53 Resolver rules to the VPC.",
            ),
            "domainname hostname mac_address": (
                "a task gets its name and its network interface from the VPC",
                "Drop the key; other services reach this one by its service name.",
            ),
            "env_file.[].format": ("only the default format is read", _DROP),
            "extends": (
                "services share settings by anchors only, so that one file shows all of a service",
                "Put what is shared into an x-… block with an anchor and merge it with <<.",
            ),
            "external_links links": (
                "services reach each other by service name",
                "Drop the key and use the service's name as the host name.",
            ),
            "extra_hosts": (
                "Fargate cannot change /etc/hosts",
                "Drop the key and use a DNS name, for example in a private Route 53 zone.",
            ),
            "gpus": ("Fargate has no GPUs", "Run this service on ECS with EC2 instances or on AWS Batch."),
            "group_add": (
                "ECS gives a container the groups of its user only",
                "Drop the key and put the user into the group in the Dockerfile.",
            ),
            "label_file": ("only labels in the file are read", "Drop the key and write them under labels."),
            "mem_limit": ("the size of a task comes from deploy", "Write deploy.resources.limits.memory."),
            "mem_reservation": ("the size of a task comes from deploy", "Write deploy.resources.reservations.memory."),
            "mem_swappiness memswap_limit oom_kill_disable oom_score_adj": (
                "Fargate has no swap and no such memory settings",
                "Drop the key; the limit is deploy.resources.limits.memory.",
            ),
            "models": (
                "Fargate runs no models",
                "Drop the key and call a model service, such as Amazon Bedrock, from the application.",
            ),
            "network_mode": (
                "Fargate tasks have a network interface of their own (awsvpc), never the host's or another container's",
                "Drop the key, and publish ports under ports.",
            ),
            "networks.*.aliases": (
                "other services reach this one by its service name only",
                "Drop the key and use the service's name, or rename the service.",
            ),
            (
                "networks.*.driver_opts networks.*.ipv4_address networks.*.ipv6_address networks.*.link_local_ips "
                "networks.*.mac_address"
            ): (
                "a task gets its addresses from the VPC",
                "Drop the key and use the service's name as the host name.",
            ),
            "pids_limit": ("Fargate has no limit of processes per container", _DROP),
            "post_start pre_start pre_stop": (
                "ECS has no hooks",
                (
                    "Make it a service of its own that this one depends on with service_completed_successfully, or do"
                    " it in the entrypoint."
                ),
            ),
            "privileged": (
                f"{_NO_HOST}, its privileges included",
                "Drop the key; name single capabilities under cap_add if Fargate has them.",
            ),
            "provider": (
                "only containers are deployed",
                "Make the resource in infra/ and pass its address as an environment variable.",
            ),
            "runtime": ("Fargate chooses the container runtime", _DROP),
            "scale": ("the number of tasks comes from deploy", "Write deploy.replicas."),
            "secrets": (
                "the values would come from files of this machine",
                "Drop the key; x-aws.rds.variables maps the database's credentials, and x-aws.secrets names others.",
            ),
            "shm_size": (
                "Fargate cannot change the size of /dev/shm",
                "Drop the key and let the program use a directory under tmpfs.",
            ),
            "stop_signal": (
                "ECS sends the signal that the image names",
                "Drop the key and write STOPSIGNAL in the Dockerfile.",
            ),
            "storage_opt": ("Fargate has no storage drivers to configure", _DROP),
            "sysctls": (
                "kernel parameters are not passed on to Fargate",
                "Drop the key, or configure the program itself.",
            ),
            "use_api_socket": (f"{_NO_HOST}, its engine's socket included", _DROP),
            "volumes.[].volume.subpath": ("a volume is one directory", "Drop the key, or make it a volume of its own."),
            "volumes_from": ("ECS mounts volumes by their names", "Drop the key and name the volumes under volumes."),
        },
    ),
    *_mapped(
        _SERVICE + "build.",
        {
            "args": "build arguments; a value that looks like a secret is refused, since it would stay in the image",
            "context": "a directory; a URL is refused",
            "dockerfile": "relative to the context, as in Compose",
            "target": "the Dockerfile's target",
        },
    ),
    *_ignored(
        _SERVICE + "build.",
        {
            "cache_from cache_to no_cache no_cache_filter pull": (
                "they change how fast an image is built, not what is in it"
            ),
            "labels": "nothing on AWS reads an image's labels",
            "platforms": "the environment's settings choose the CPU architecture and build for it",
            "provenance sbom": "the image asset is pushed without attestations",
            "tags": "the image asset's tag is the hash of its source",
        },
    ),
    *_refused(
        _SERVICE + "build.",
        {
            "additional_contexts": (
                "an image asset has one context",
                "Build from a common parent directory, or use a FROM stage.",
            ),
            "dockerfile_inline": (
                "an image asset needs a file",
                "Write it to a Dockerfile and name it under dockerfile.",
            ),
            "entitlements extra_hosts isolation network privileged shm_size ulimits": (
                "an image asset is built with the engine's defaults",
                "Drop the key, or push the image to Amazon ECR yourself and name it under image.",
            ),
            "secrets ssh": (
                "the build must not need secrets of this machine",
                (
                    "Drop the key and fetch private parts before the build, or push the image to Amazon ECR yourself"
                    " and name it under image."
                ),
            ),
        },
    ),
    *_mapped(
        _SERVICE + "deploy.",
        {
            "mode": "only `replicated`, the default",
            "replicas": "desired and minimum number of tasks, at least 1",
            "update_config": "see below",
            "update_config.order": (
                "`stop-first` with one replica, for what must never run twice, such as a scheduler: the old task stops "
                "before the new one starts. Otherwise new tasks start first"
            ),
            "resources": "the smallest Fargate size that holds the limits",
            "resources.limits": "needed for every service that keeps running: ECS has no size to fall back on",
            "resources.limits.cpus resources.limits.memory": "the container's share, and the task's size",
            "resources.reservations": "see below",
            "resources.reservations.memory": "memoryReservation",
        },
    ),
    *_ignored(
        _SERVICE + "deploy.",
        {
            "endpoint_mode": "Service Connect balances over the tasks",
            "labels": "they are for the service object of Swarm",
            "resources.reservations.cpus": "Fargate reserves the whole of the task's size",
            "restart_policy": "ECS replaces a stopped task always",
            (
                "rollback_config update_config.delay update_config.failure_action update_config.max_failure_ratio "
                "update_config.monitor update_config.parallelism"
            ): "the stack has one way to deploy: rolling, no task missing, rolled back when it fails",
        },
    ),
    *_refused(
        _SERVICE + "deploy.",
        {
            "placement": ("Fargate has no nodes to choose from", "Drop the key; tasks are spread over the zones."),
            "resources.limits.pids": ("Fargate has no limit of processes per container", _DROP),
            "resources.reservations.devices resources.reservations.generic_resources": (
                "Fargate has no GPUs or other devices",
                "Run this service on ECS with EC2 instances or on AWS Batch.",
            ),
        },
    ),
    *_mapped(
        _SERVICE + "x-aws.",
        {
            "autoscaling": (
                "more tasks than `deploy.replicas` while they are busy, and fewer again afterwards; at least one of "
                "`cpu_percent` and `requests_per_minute`"
            ),
            "autoscaling.cpu_percent": "the average CPU use at which the tasks are kept, 1 to 100",
            "autoscaling.max_replicas": "the highest number of tasks, at least `deploy.replicas`",
            "autoscaling.requests_per_minute": (
                "the requests per minute and task at which the tasks are kept; for public services. Only the load "
                "balancer's are counted: requests of other services, which call this one by name, are not, so give "
                "`cpu_percent` too where there are any"
            ),
            "database_sign_in": (
                "`iam`, the only value: the service signs in to RDS with a token of its task role instead of a "
                "password, as the user named by the variable that `x-aws.rds.variables` maps to username, which must "
                "not be the owner. The variable mapped to password is not there on AWS"
            ),
            "egress": (
                'a list of ports, or of "range:port", such as `[587, "203.0.113.0/24:5432"]`: where tasks may connect '
                "to besides port 443, the managed database and the services of `depends_on`; TCP. AWS itself blocks "
                "port 25 until it is asked to open it"
            ),
            "environment": (
                "NAME: value, over `environment` and `env_file`; NAME: null removes the variable. Compose does not "
                "read it"
            ),
            "public": "the service is behind the load balancer; it needs exactly one port",
            "public.free_input": (
                "paths, or beginnings such as /products/*, that take files, texts and long queries: there the web ACL "
                "(`web_acl`) does not block what its common rules suspect of a body or of a query's length"
            ),
            "public.health_codes": (
                '"200" unless given, such as "200-399": the answers that the load balancer takes for well. It asks '
                "with a task's own address as Host: where a framework compares hosts (Django's ALLOWED_HOSTS), write "
                '"200,400", or answer the health path before'
            ),
            "public.health_path": "what the load balancer asks: a path that answers 200 while the process is well",
            "public.paths": "path patterns of the load balancer's rules, such as /products/*",
            "public.sticky": "true: a browser stays with the task that answered it first",
            "rds": (
                "Amazon RDS for PostgreSQL stands in for this service, in the major version of its image, with "
                "POSTGRES_DB and POSTGRES_USER as names of database and owner"
            ),
            "rds.variables": (
                "for each variable by which services reach the database: host, port, dbname, username, password, or "
                "url for all of them in one. Services that have the variable in `environment` get the value of RDS. A "
                "URL keeps the scheme and the parameters that it has there (`postgresql+asyncpg://…?timeout=5`); "
                "`url?sslmode=verify-full` adds parameters on AWS. It is a secret that CloudFormation puts together"
            ),
            "registry_credentials": (
                '{existing: name-or-ARN}: the secret, `{"username": …, "password": …}`, that ECS signs in to a private '
                "registry with to pull `image`, of a service without `build`. Amazon ECR needs none"
            ),
            "schedule": (
                "cron(…) or rate(…) of EventBridge Scheduler: the service's task runs then, to its end, and not all "
                "the time. A run begins when the one before has ended, and is left out otherwise; `restart: "
                "on-failure:3` repeats one that failed. It reaches the database and the addresses of `egress`, but "
                "no other service by its name. AWS Step Functions shows each run, and an alarm tells of one that "
                "failed"
            ),
            "schedule.expression": "cron(…) or rate(…), where more than that is said",
            "schedule.overlap": "true: a run begins also while the one before is still going on",
            "schedule.time_zone": "such as America/Sao_Paulo; UTC unless given. Summer time is followed",
            "schedule.timeout": "after which a run is given up, such as 2h; 12h unless given, 7d at most",
            "secrets": (
                "VARIABLE: name; the stack makes one secret of AWS Secrets Manager with a random value for each name, "
                "and services that give the same name share it. VARIABLE: {existing: name-or-ARN, key: field} brings "
                "one of your own, which `make secret NAME=name` puts there; `key` for a field of a JSON object. The "
                "task may read exactly that one; one under a KMS key of your own needs the key's policy too"
            ),
            "sign_in": (
                "VARIABLE: issuer, client_id, client_secret or public_url: what the service needs for OpenID Connect "
                "with the Amazon Cognito user pool that the stack makes when a service asks for any of them; "
                "public_url is where people reach the application"
            ),
        },
    ),
)
