"""Which e-mails are to be sent, to whom, and what a person is asked first."""
