"""Queue e-mails: assess who gets what, preview them, store the request."""
