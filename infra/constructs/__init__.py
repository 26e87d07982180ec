"""What the stack is made of: one construct per file, each given what was decided in infra.plan."""
