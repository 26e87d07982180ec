"""What is done to a deployment from a workstation: each module is one command of the Makefile."""
