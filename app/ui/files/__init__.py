"""Products as files: imports and exports."""
