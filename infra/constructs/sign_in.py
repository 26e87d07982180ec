"""Sign-in: a Cognito user pool whose users are invited, and the one application that they may sign in to."""

from collections.abc import Mapping

from aws_cdk import Aws, CfnOutput, Duration, Fn, RemovalPolicy, SecretValue, Stack
from aws_cdk import aws_cognito as cognito
from aws_cdk import aws_ecs as ecs
from aws_cdk import aws_secretsmanager as secretsmanager
from constructs import Construct

from infra.compose.model import SignInField
from infra.constructs.variables import ContainerVariables
from infra.plan.environment import Environment

CALLBACK = "/oauth2callback"
"""Where Streamlit has people sent back to who sign in."""


class SignIn(Construct):
    """Nobody signs up by themselves; `make invite` invites."""

    def __init__(self, scope: Construct, construct_id: str, *, public_url: str, settings: Environment) -> None:
        super().__init__(scope, construct_id)
        pool = self._user_pool(public_url, settings)
        client = cognito.UserPoolClient(
            self,
            "Client",
            user_pool=pool,
            generate_secret=True,
            o_auth=cognito.OAuthSettings(
                flows=cognito.OAuthFlows(authorization_code_grant=True),
                scopes=[cognito.OAuthScope.OPENID, cognito.OAuthScope.EMAIL, cognito.OAuthScope.PROFILE],
                callback_urls=[f"{public_url}{CALLBACK}"],
                logout_urls=[public_url],
            ),
            supported_identity_providers=[cognito.UserPoolClientIdentityProvider.COGNITO],
            prevent_user_existence_errors=True,
            enable_token_revocation=True,
            access_token_validity=Duration.hours(1),
            id_token_validity=Duration.hours(8),  # how long somebody stays signed in: a working day
            refresh_token_validity=Duration.days(1),
        )
        self._values = {
            SignInField.ISSUER: f"https://cognito-idp.{Aws.REGION}.{Aws.URL_SUFFIX}/{pool.user_pool_id}",
            SignInField.CLIENT_ID: client.user_pool_client_id,
            SignInField.PUBLIC_URL: public_url,
        }
        self._secrets = {SignInField.CLIENT_SECRET: ecs.Secret.from_secrets_manager(self._client_secret(client))}
        CfnOutput(
            Stack.of(self), "UserPoolId", value=pool.user_pool_id, description="Where the first user is invited to"
        )

    def variables(self, names: Mapping[str, SignInField]) -> ContainerVariables:
        """Return what a container is given under its own names for the parts of the sign-in."""
        return ContainerVariables.of(names, self._values, self._secrets)

    def _user_pool(self, public_url: str, settings: Environment) -> cognito.UserPool:
        pool = cognito.UserPool(
            self,
            "Users",
            feature_plan=cognito.FeaturePlan.LITE,  # the others cost more for each user and month
            self_sign_up_enabled=False,
            sign_in_aliases=cognito.SignInAliases(email=True),
            sign_in_case_sensitive=False,
            auto_verify=cognito.AutoVerifiedAttrs(email=True),
            standard_attributes=cognito.StandardAttributes(
                email=cognito.StandardAttribute(required=True, mutable=True)
            ),
            password_policy=cognito.PasswordPolicy(
                min_length=12,
                require_lowercase=True,
                require_uppercase=True,
                require_digits=True,
                require_symbols=True,
                temp_password_validity=Duration.days(3),
            ),
            user_invitation=cognito.UserInvitationConfig(
                email_subject="An account for you",
                email_body=f"Sign in at {public_url} as {{username}} with the temporary password {{####}}",
            ),
            # Its pages have people add an app only where they must.
            mfa=cognito.Mfa.REQUIRED if settings.second_factor_required else cognito.Mfa.OPTIONAL,
            mfa_second_factor=cognito.MfaSecondFactor(otp=True, sms=False),  # an app's code; text messages cost
            account_recovery=cognito.AccountRecovery.EMAIL_ONLY,
            deletion_protection=settings.deletion_protection,
            # Protected or not is said in one place; a pool that nobody protects is not left behind either.
            removal_policy=RemovalPolicy.DESTROY,
        )
        pool.add_domain(
            "SignInPage", cognito_domain=cognito.CognitoDomainOptions(domain_prefix=_prefix(Stack.of(self)))
        )
        return pool

    def _client_secret(self, client: cognito.UserPoolClient) -> secretsmanager.Secret:
        # CloudFormation's own attribute: the construct's would be fetched by a Lambda function.
        resource = client.node.default_child
        assert isinstance(resource, cognito.CfnUserPoolClient)  # noqa: S101 (made above)
        return secretsmanager.Secret(
            self,
            "ClientSecret",
            description="By which the application proves to Cognito that it is itself",
            secret_string_value=SecretValue.resource_attribute(resource.attr_client_secret),
        )


def _prefix(stack: Stack) -> str:
    """Return a name that is unique in the region and stays for as long as the stack does.

    It ends in the first part of the identifier in the stack's ARN, arn:…:stack/<name>/<8 hexadecimal digits>-….
    """
    identifier = Fn.select(2, Fn.split("/", stack.stack_id))
    return f"{stack.stack_name}-{Fn.select(0, Fn.split('-', identifier))}"
