"""What a team's pipeline does beyond the commands of a workstation; `.github/workflows` calls it by make."""
