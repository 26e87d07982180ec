"""The API as Python objects; knows nothing of Streamlit."""
