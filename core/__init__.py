"""The business logic. Nothing in it knows Streamlit or a browser."""
