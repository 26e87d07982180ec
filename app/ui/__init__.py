"""The web UI: Streamlit pages that talk to the API and to nothing else."""
