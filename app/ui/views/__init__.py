"""The pages: each a script that Streamlit runs, under the name that main gives it."""
