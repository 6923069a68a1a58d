#!/bin/sh
# Run once, in the new database of compose.yaml: lets the standby copy from it.
set -eu

echo "host replication $POSTGRES_USER samenet scram-sha-256" >> "$PGDATA/pg_hba.conf"
psql --username "$POSTGRES_USER" --dbname "$POSTGRES_DB" --set ON_ERROR_STOP=1 <<'SQL'
ALTER SYSTEM SET wal_keep_size = '1GB';
CREATE EXTENSION IF NOT EXISTS pg_trgm;
SQL
