"""Make the font files from Debian's Noto fonts again: make fonts."""
