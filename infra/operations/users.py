"""List the people who may sign in; invite, disable, enable or remove one."""

import argparse
from dataclasses import dataclass

from rich.table import Table

from infra.operations.command_line import Output
from infra.operations.deployment import Deployment, OperationError
from infra.operations.invite import InviteError, invite

_ACTIONS = ("list", "invite", "disable", "enable", "remove")


@dataclass(frozen=True)
class User:
    """Somebody who was invited."""

    email: str
    state: str
    is_enabled: bool


def declare(parser: argparse.ArgumentParser) -> None:
    """Declare what `users` takes."""
    parser.add_argument("action", nargs="?", choices=_ACTIONS, default="list")
    parser.add_argument("email", nargs="?", help="whom; not for list")


def run(deployment: Deployment, options: argparse.Namespace, out: Output) -> int:
    """Do it."""
    if options.action == "list":
        found = people(deployment)
        if not out.facts(found):
            table = Table("e-mail", "state", "", box=None, pad_edge=False)
            for one in found:
                table.add_row(one.email, one.state, "" if one.is_enabled else "disabled")
            out.console.print(table)
        return 0
    email = options.email or ""
    if "@" not in email:
        raise OperationError(f"say whom: users {options.action} someone@example.com")
    if options.action == "invite":
        try:
            url = invite(deployment.session, deployment.stack_name, email)
        except InviteError as error:
            raise OperationError(str(error)) from None
        out.line(f"{email} gets an e-mail with a temporary password, and signs in at {url}")
        return 0
    cognito, pool = deployment.client("cognito-idp"), _pool(deployment)
    act = {
        "disable": cognito.admin_disable_user,
        "enable": cognito.admin_enable_user,
        "remove": cognito.admin_delete_user,
    }[options.action]
    try:
        act(UserPoolId=pool, Username=email)
        if options.action == "disable":  # whose sessions would otherwise last as long as their tokens
            cognito.admin_user_global_sign_out(UserPoolId=pool, Username=email)
    except cognito.exceptions.UserNotFoundException:
        raise OperationError(f"nobody is called {email}; users lists who there is") from None
    out.line(f"{email}: {options.action}d." if options.action != "remove" else f"{email}: removed.")
    return 0


def people(deployment: Deployment) -> list[User]:
    """Return everybody who may sign in, or was disabled, by e-mail."""
    pages = deployment.client("cognito-idp").get_paginator("list_users").paginate(UserPoolId=_pool(deployment))
    found = []
    for page in pages:
        for user in page["Users"]:
            email = next((one["Value"] for one in user["Attributes"] if one["Name"] == "email"), user["Username"])
            found.append(User(email, user["UserStatus"].lower().replace("_", " "), user["Enabled"]))
    return sorted(found, key=lambda user: user.email)


def _pool(deployment: Deployment) -> str:
    if "UserPoolId" not in deployment.outputs:
        raise OperationError(f"{deployment.stack_name} has no sign-in of its own, so no list of people")
    return deployment.outputs["UserPoolId"]
