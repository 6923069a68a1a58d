"""What the business knows and does. Nothing here knows of Streamlit or of a browser."""
