"""Send queued e-mails and record the outcome."""
