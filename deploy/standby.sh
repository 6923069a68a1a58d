#!/bin/sh
# The standby of compose.yaml: copies the primary the first time, then follows it until it is promoted.
set -eu

data=/var/lib/postgresql/data
if [ ! -s "$data/PG_VERSION" ]; then
    find "$data" -mindepth 1 -delete
    pg_basebackup --pgdata="$data" --write-recovery-conf --wal-method=stream --checkpoint=fast \
        --dbname="host=primary user=desk application_name=standby"
    chmod 0700 "$data"
fi
exec postgres -D "$data"
