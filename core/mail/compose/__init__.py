"""What an e-mail says."""
