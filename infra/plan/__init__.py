"""What is decided before any construct exists, from the compose file and the settings of one environment."""

from infra.plan.assemble import Plan, PlanError, assemble

__all__ = ["Plan", "PlanError", "assemble"]
