"""All findings of the gates (`python -m infra.gates`) that are meant, and why; there is no other place for them."""

from infra.gates.findings import Acknowledgement

_EVERYWHERE = ("dev", "prod", "prod-domain")
_CLOUDFRONT = ("dev", "prod")
_PROD = ("prod", "prod-domain")
_SECRETS = ("Database/Instance/Secret", "Database/Url-*", "Secrets/*", "SignIn/ClientSecret")

ACKNOWLEDGEMENTS: tuple[Acknowledgement, ...] = (
    Acknowledgement(
        rules=("AwsSolutions-ECS2",),
        resources=("*/Tasks",),
        environments=_EVERYWHERE,
        depends_on_application=True,  # which has plain variables
        reason="Plain variables hold settings only. The compose reader refuses values that are secrets by name or form;"
        " secrets come from Secrets Manager.",
    ),
    Acknowledgement(
        rules=("AwsSolutions-IAM5[Resource::*]",),
        resources=("*/Tasks/ExecutionRole/DefaultPolicy",),
        environments=_EVERYWHERE,
        depends_on_application=True,  # which has images in Amazon ECR
        reason="ecr:GetAuthorizationToken, which takes no resource; all else in the policy names its resource.",
    ),
    Acknowledgement(
        rules=("AwsSolutions-IAM5[Resource::*]",),
        resources=("*/Tasks/TaskRole/DefaultPolicy",),
        environments=("dev",),
        reason="ECS Exec needs four ssmmessages actions, which take no resource. It is off in prod.",
    ),
    Acknowledgement(
        rules=("AwsSolutions-IAM5[Resource::*]", "NIST.800.53.R5-IAMNoInlinePolicy"),
        resources=("TunnelRole/DefaultPolicy",),
        environments=_PROD,
        reason="The same four actions, for the tasks alone that an operator's `tunnel` starts, and goes with its role.",
    ),
    Acknowledgement(
        rules=("AwsSolutions-IAM5[Resource::*]",),
        resources=("*/Tasks/TaskRole/DefaultPolicy",),
        environments=("prod-domain",),
        reason="The collector of monitoring.traces may send to X-Ray, by two actions that take no resource.",
    ),
    Acknowledgement(
        rules=("NIST.800.53.R5-IAMNoInlinePolicy",),
        resources=("Database/Asleep/Role/DefaultPolicy",),
        environments=("dev",),
        reason="May stop and start this one database, for the clock of services.asleep, and goes with it.",
    ),
    Acknowledgement(
        rules=("NIST.800.53.R5-IAMNoInlinePolicy",),
        resources=(
            "*/Tasks/ExecutionRole/DefaultPolicy",
            "*/Tasks/TaskRole/DefaultPolicy",
            "*/Runs/Role/DefaultPolicy",
            "*/SchedulerRole/DefaultPolicy",
        ),
        environments=_EVERYWHERE,
        reason="Each policy is for one role and goes with it; a managed one could be attached elsewhere by mistake.",
    ),
    Acknowledgement(
        rules=(
            "AwsSolutions-IAM4[Policy::arn:<AWS::Partition>:iam::aws:policy/service-role/"
            "AmazonRDSEnhancedMonitoringRole]",
        ),
        resources=("Database/Instance/MonitoringRole",),
        environments=_PROD,
        reason="AWS's own policy for enhanced monitoring, which RDS keeps current; it may write to RDSOSMetrics alone.",
    ),
    Acknowledgement(
        rules=("AwsSolutions-SMG4", "NIST.800.53.R5-SecretsManagerRotationEnabled"),
        resources=_SECRETS,
        environments=_EVERYWHERE,
        reason="A task gets its secrets when it starts, so a rotation without a deployment would lock running tasks"
        " out. The database's owner is used by migrations alone, the API signs in with tokens of 15 minutes; the others"
        " are changed by putting a new value and deploying.",
    ),
    Acknowledgement(
        rules=("NIST.800.53.R5-SecretsManagerUsingKMSKey", "CKV_AWS_149"),
        resources=_SECRETS,
        environments=_EVERYWHERE,
        reason="Encrypted with the account's key for Secrets Manager. A key of our own would let in the same two roles"
        " for each secret, and nobody outside this account is to read one.",
    ),
    Acknowledgement(
        rules=("NIST.800.53.R5-CloudWatchLogGroupEncrypted", "CKV_AWS_158"),
        resources=("*/Logs",),
        environments=_EVERYWHERE,
        reason="CloudWatch Logs encrypts every group. The application logs no credentials and no bodies, and WAF's log"
        " leaves the authorization and cookie headers out.",
    ),
    Acknowledgement(
        rules=("NIST.800.53.R5-CloudWatchLogGroupEncrypted", "CKV_AWS_158"),
        resources=("Database/Logs-*",),
        environments=_PROD,
        reason="CloudWatch Logs encrypts every group. The server's log has errors, schema changes and slow"
        " statements, and IAM says who may read them; on AWS no statement holds a password.",
    ),
    Acknowledgement(
        rules=("NIST.800.53.R5-SNSEncryptedKMS", "CKV_AWS_26"),
        resources=("Monitoring/Topic",),
        environments=_EVERYWHERE,
        reason="CloudWatch cannot use the account's key for SNS, and a key of our own would cost a dollar a month to"
        " hide sentences that go out by e-mail.",
    ),
    Acknowledgement(
        rules=("AwsSolutions-RDS11",),
        resources=("Database/Instance",),
        environments=_EVERYWHERE,
        reason="Only the tasks' security groups reach the port, in subnets without a route to the internet. Another"
        " number would hide nothing.",
    ),
    Acknowledgement(
        rules=("NIST.800.53.R5-RDSInBackupPlan",),
        resources=("Database/Instance",),
        environments=_EVERYWHERE,
        reason="RDS's own backups restore any second of the retention time, and a snapshot stays after removal. AWS"
        " Backup plans choose by tag and belong to the account.",
    ),
    Acknowledgement(
        rules=("AwsSolutions-COG2",),
        resources=("SignIn/Users",),
        environments=("dev",),
        reason="People are invited and passwords are strong; prod asks for a code from an app too"
        " (second_factor_required).",
    ),
    Acknowledgement(
        rules=("AwsSolutions-COG8",),
        resources=("SignIn/Users",),
        environments=_EVERYWHERE,
        reason="The plus plan costs several times as much for each user and month, for risk scores of sign-ins that"
        " invited users do not need.",
    ),
    Acknowledgement(
        rules=("NIST.800.53.R5-VPCDefaultSecurityGroupClosed",),
        resources=("Network/Vpc",),
        environments=_EVERYWHERE,
        reason="Nothing is in the default group, whose one inbound rule lets in its own members. CloudFormation cannot"
        " empty it: CDK would add a Lambda function that may change security groups.",
    ),
    Acknowledgement(
        rules=("NIST.800.53.R5-VPCNoUnrestrictedRouteToIGW",),
        resources=("Network/Vpc/publicSubnet?/DefaultRoute",),
        environments=_EVERYWHERE,
        reason="The route is what a public subnet is: for a load balancer with a public address, for NAT gateways, and"
        " in dev for tasks that fetch their images. No subnet gives out public addresses by itself.",
    ),
    Acknowledgement(
        rules=("W3005",),
        resources=("*/Service/Service",),
        environments=_EVERYWHERE,
        reason="The service waits for the rules of its security group, which a reference to the group does not do; the"
        " group itself comes with them in CDK.",
    ),
    Acknowledgement(
        rules=("W3005",),
        resources=("*/Runs", "*/Schedule"),
        environments=_EVERYWHERE,
        reason="They wait for the policies of their roles, which a reference to a role does not do; the role itself"
        " comes with them in CDK.",
    ),
    Acknowledgement(
        rules=("AwsSolutions-IAM5[Resource::*]",),
        resources=("*/Runs/Role/DefaultPolicy",),
        environments=_EVERYWHERE,
        reason="ecs:ListTasks takes no resource that Fargate has, and tasks have no names before they run; a condition"
        " leaves this cluster's alone.",
    ),
    Acknowledgement(
        rules=("AwsSolutions-SF1", "AwsSolutions-SF2"),
        resources=("*/Runs",),
        environments=_EVERYWHERE,
        reason="Step Functions keeps each execution with all its events for 90 days, and the task's own log is in"
        " CloudWatch. There is one step to trace.",
    ),
    Acknowledgement(
        rules=("NIST.800.53.R5-EFSInBackupPlan",),
        resources=("Volumes/Files",),
        environments=_EVERYWHERE,
        reason="Where deletion_protection is true, EFS has AWS Backup copy the files every day and keeps that for 35"
        " days. Other plans choose by tag and belong to the account.",
    ),
    Acknowledgement(
        rules=("CKV_AWS_161",),
        resources=("Database/Instance",),
        environments=_EVERYWHERE,
        depends_on_application=True,  # which has no x-aws.database_sign_in
        reason="Its services sign in with the password that the stack generated, which is in Secrets Manager; IAM"
        " authentication is switched on when one of them has x-aws.database_sign_in.",
    ),
    Acknowledgement(
        rules=("W3691",),
        resources=("Database/Instance",),
        environments=_EVERYWHERE,
        depends_on_application=True,  # which has an older PostgreSQL
        reason="RDS takes a major version alone and picks its newest minor one; cfn-lint has the number in its list of"
        " the oldest minor ones, which RDS makes no more.",
    ),
    Acknowledgement(
        rules=("NIST.800.53.R5-ELBv2ACMCertificateRequired",),
        resources=("LoadBalancer/LoadBalancer/Redirect80To443",),
        environments=("prod-domain",),
        reason="This listener redirects to HTTPS and does nothing else.",
    ),
    Acknowledgement(
        rules=("AwsSolutions-EC23", "CKV_AWS_260"),
        resources=("LoadBalancer/LoadBalancer/SecurityGroup",),
        environments=("prod-domain",),
        reason="The application is for everybody who may sign in, from anywhere; port 80 redirects to HTTPS. Set"
        " public_url.allowed_cidrs where that is not so.",
    ),
    Acknowledgement(
        rules=(
            "NIST.800.53.R5-ALBHttpToHttpsRedirection",
            "NIST.800.53.R5-ELBv2ACMCertificateRequired",
            "CKV_AWS_2",
            "CKV_AWS_103",
        ),
        resources=("LoadBalancer/LoadBalancer/Http",),
        environments=_CLOUDFRONT,
        reason="CloudFront ends HTTPS and redirects HTTP; from there to the internal load balancer requests stay inside"
        " AWS. A certificate for that part needs a domain, which public_url domain is for.",
    ),
    Acknowledgement(
        rules=("AwsSolutions-CFR4", "CKV_AWS_174"),
        resources=("LoadBalancer/Distribution/Distribution",),
        environments=_CLOUDFRONT,
        reason="The policy of CloudFront's own certificate cannot be chosen. Browsers agree on TLS 1.3 or 1.2 all the"
        " same; public_url domain refuses what is older.",
    ),
    Acknowledgement(
        rules=("AwsSolutions-CFR1",),
        resources=("LoadBalancer/Distribution/Distribution",),
        environments=_CLOUDFRONT,
        reason="People may sign in from any country; where a team's may not, its CloudFront or WAF says so.",
    ),
    Acknowledgement(
        rules=("AwsSolutions-CFR2", "CKV_AWS_68"),
        resources=("LoadBalancer/Distribution/Distribution",),
        environments=("prod",),
        reason="WAF looks at the same requests on the load balancer behind it: a web ACL for CloudFront has to be in"
        " us-east-1, and this stack is in one region of your choice. CloudFront caches nothing.",
    ),
    Acknowledgement(
        rules=("AwsSolutions-CFR3", "CKV_AWS_86"),
        resources=("LoadBalancer/Distribution/Distribution",),
        environments=("prod",),
        reason="CloudFront caches nothing, so the load balancer's access log and WAF's log have every request.",
    ),
    Acknowledgement(
        rules=("AwsSolutions-S1", "NIST.800.53.R5-S3BucketLoggingEnabled", "CKV_AWS_18"),
        resources=("TrafficLogs/Bucket",),
        environments=_PROD,
        reason="This is the bucket of logs. Who reads it is in CloudTrail, if the account records data events.",
    ),
    Acknowledgement(
        rules=(
            "NIST.800.53.R5-S3BucketReplicationEnabled",
            "NIST.800.53.R5-S3BucketVersioningEnabled",
            "CKV_AWS_21",
        ),
        resources=("TrafficLogs/Bucket",),
        environments=_PROD,
        reason="Log files are written once under new names and deleted by age. Nothing is restored from them.",
    ),
    Acknowledgement(
        rules=("NIST.800.53.R5-S3DefaultEncryptionKMS",),
        resources=("TrafficLogs/Bucket",),
        environments=_PROD,
        reason="Elastic Load Balancing writes access logs only to buckets that S3's own keys encrypt (SSE-S3).",
    ),
    # What dev does without, because it holds no data that anybody would miss and is to cost little.
    Acknowledgement(
        rules=(
            "AwsSolutions-RDS3",
            "NIST.800.53.R5-RDSMultiAZSupport",
            "CKV_AWS_157",
        ),
        resources=("Database/Instance",),
        environments=("dev",),
        reason="dev: no standby, which would double the price; prod has one.",
    ),
    Acknowledgement(
        rules=(
            "NIST.800.53.R5-RDSEnhancedMonitoringEnabled",
            "CKV_AWS_118",
            "NIST.800.53.R5-RDSLoggingEnabled[LogExport::postgresql]",
            "NIST.800.53.R5-RDSLoggingEnabled[LogExport::upgrade]",
        ),
        resources=("Database/Instance",),
        environments=("dev",),
        reason="dev: nobody watches its database; the server's log can be read in RDS for three days. prod has both.",
    ),
    Acknowledgement(
        rules=("AwsSolutions-RDS10", "NIST.800.53.R5-RDSInstanceDeletionProtectionEnabled"),
        resources=("Database/Instance",),
        environments=("dev",),
        reason="dev: meant to be removed with one command, which leaves a snapshot; prod is protected.",
    ),
    Acknowledgement(
        rules=("NIST.800.53.R5-ELBDeletionProtectionEnabled",),
        resources=("LoadBalancer/LoadBalancer",),
        environments=("dev",),
        reason="dev: meant to be removed with one command; prod is protected.",
    ),
    Acknowledgement(
        rules=("AwsSolutions-ECS4", "CKV_AWS_65"),
        resources=("Cluster",),
        environments=("dev",),
        reason="dev: Container Insights cost by the metric; the services' own CPU and memory metrics are free.",
    ),
    Acknowledgement(
        rules=("AwsSolutions-VPC7", "NIST.800.53.R5-VPCFlowLogsEnabled"),
        resources=("Network/Vpc",),
        environments=("dev",),
        reason="dev: nobody reads flow logs of an environment for trying things; prod keeps them.",
    ),
    Acknowledgement(
        rules=("AwsSolutions-ELB2", "NIST.800.53.R5-ELBLoggingEnabled", "CKV_AWS_91"),
        resources=("LoadBalancer/LoadBalancer",),
        environments=("dev",),
        reason="dev: the services' own logs name each request; prod keeps access logs.",
    ),
    Acknowledgement(
        rules=("NIST.800.53.R5-ALBWAFEnabled",),
        resources=("LoadBalancer/LoadBalancer",),
        environments=("dev",),
        reason="dev: a web ACL costs as much as the database; nobody gets further than the sign-in uninvited.",
    ),
    Acknowledgement(
        rules=("AwsSolutions-CFR2", "AwsSolutions-CFR3", "CKV_AWS_68", "CKV_AWS_86"),
        resources=("LoadBalancer/Distribution/Distribution",),
        environments=("dev",),
        reason="dev: no WAF and no access logs, as on its load balancer; prod has both there.",
    ),
    Acknowledgement(
        rules=(
            "AwsSolutions-IAM5[Resource::*]",
            *(
                f"AwsSolutions-IAM5[Resource::arn:<AWS::Partition>:{service}:<AWS::Region>:<AWS::AccountId>:{resource}]"
                for service, resource in (
                    ("cloudformation", "stack/catalogue-dev/*"),
                    ("ecs", "service/catalogue-dev-*"),
                    ("ecs", "task/catalogue-dev-*"),
                    ("logs", "log-group:/catalogue-dev/*"),
                    ("logs", "log-group:/aws/events/catalogue-dev/*"),
                )
            ),
        ),
        resources=("Role-dev/DefaultPolicy",),
        environments=("pipeline",),
        reason="The workflows' role may look at what bears the name of the project's stacks, whose ids and endings AWS"
        " makes up, and at what takes no resource. It changes nothing itself: CDK's roles do.",
    ),
    Acknowledgement(
        rules=("NIST.800.53.R5-IAMNoInlinePolicy",),
        resources=("Role-dev/DefaultPolicy",),
        environments=("pipeline",),
        reason="Each policy is for one role and goes with it; a managed one could be attached elsewhere by mistake.",
    ),
    Acknowledgement(
        rules=(
            "AwsSolutions-IAM5[Resource::arn:<AWS::Partition>:cloudformation:<AWS::Region>:<AWS::AccountId>:"
            "stack/preview/*]",
            "NIST.800.53.R5-IAMNoInlinePolicy",
        ),
        resources=("Expiry/Role/DefaultPolicy",),
        environments=("preview",),
        reason="May delete this one stack, whose id AWS makes up, and goes with it.",
    ),
)
