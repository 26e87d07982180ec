"""Rule sets that the templates of every environment are held against, offline: `python -m infra.gates`."""
