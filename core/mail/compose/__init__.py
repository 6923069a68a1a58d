"""Write e-mails: contents, body, addresses, message."""
