"""A team: several processes behind a proxy, and a primary and a standby of PostgreSQL."""
