"""What stands between the network and Streamlit: who gets in, how much at once, and what every answer carries."""
