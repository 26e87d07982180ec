"""Outputs of a stack that both the template and the operators' command line know."""

TUNNEL_ROLE = "TunnelRoleArn"
"""The role of the tasks that `tunnel` starts, where the application's own let nobody in."""
