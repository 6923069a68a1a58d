"""The PDF of vouchers."""
