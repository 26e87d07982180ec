"""What is decided before any construct exists: from the compose file and the settings of one environment."""
