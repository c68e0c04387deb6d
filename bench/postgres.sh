#!/bin/sh
# The PostgreSQL store in `muster bench`, and its references, all in one cluster that is made for it.
#   postgres.sh FOLDER      FOLDER holds rows in COPY's text format, as for copy.sh
# Prints "url URL", then obeys the lines of its stdin, and ends at their end; exit 77 without PostgreSQL.
#   empty                   a new database for Muster behind that URL; prints "done"
#   rows SHAPE              copies what Muster has put into its tables into tables with the same indexes, by
#                           COPY … BINARY of one psql after the other table by table, and of one psql for each table at a
#                           time; prints "rows-1 SHAPE seconds cpu-seconds customers", the same of rows-all, "done"
#   json SHAPE              copies the plain documents by one client as copy.sh does; prints its line with the name json-1,
#                           then "done"
set -eu

folder=$1
folder=$(cd "$folder" && pwd)
# shellcheck source=bench/cluster.sh
. "$(dirname "$0")/cluster.sh"

in_database() {
    database=$1
    shift
    PGOPTIONS='--client-min-messages=warning' "$bin/psql" -q -X -A -t -v ON_ERROR_STOP=1 -h "$socket" -U bench \
        -d "$database" "$@"
}

empty() {
    sql -c 'DROP DATABASE IF EXISTS muster WITH (FORCE)' -c 'CREATE DATABASE muster' -c CHECKPOINT
}

# The tables of copied are those of muster, with their keys and indexes, and without rows.
empty_copied() {
    sql -c 'DROP DATABASE IF EXISTS copied' -c 'CREATE DATABASE copied'
    "$bin/pg_dump" -h "$socket" -U bench --schema-only muster >"$socket/schema"
    in_database copied -f "$socket/schema" >/dev/null
    sql -c CHECKPOINT
}

one_client() {
    copies=
    for table in $tables; do
        copies="$copies -c '\\copy $table FROM $cluster_rows/$table WITH (FORMAT binary)'"
    done
    eval "in_database copied $copies"
}

a_client_each() {
    pids=
    for table in $tables; do
        in_database copied -c "\\copy $table FROM $cluster_rows/$table WITH (FORMAT binary)" &
        pids="$pids $!"
    done
    for pid in $pids; do
        wait "$pid"
    done
}

# timed NAME SHAPE FUNCTION
timed() {
    empty_copied
    cpu_before=$(cpu)
    before=$(now)
    "$3"
    after=$(now)
    cpu_after=$(cpu)
    awk -v name="$1" -v shape="$2" -v a="$before" -v b="$after" -v c="$cpu_before" -v d="$cpu_after" -v n="$customers" \
        'BEGIN { printf "%s %s %.3f %.3f %d\n", name, shape, b - a, d - c, n }'
}

rows() {
    cluster_rows=$folder/rows
    rm -rf "$cluster_rows"
    mkdir "$cluster_rows"
    tables=$(in_database muster -c "SELECT relname FROM pg_class WHERE relkind = 'r' AND relname LIKE 'muster\\_%'
        AND relname NOT IN ('muster_node', 'muster_lease', 'muster_schema') ORDER BY relname")
    for table in $tables; do
        in_database muster -c "\\copy $table TO $cluster_rows/$table WITH (FORMAT binary)"
    done
    customers=$(in_database muster -c 'SELECT count(*) FROM muster_body')
    timed rows-1 "$1" one_client
    timed rows-all "$1" a_client_each
    sql -c 'DROP DATABASE copied'
    rm -rf "$cluster_rows"
}

json() {
    echo "$1.0 $1.1 $1.2 $1.3" >"$socket/one"
    copy json-1 "$1" <"$socket/one"
}

empty
echo "url postgresql://bench@/muster?host=$socket"
while read -r verb shape; do
    case "$verb" in
    empty) empty ;;
    rows) rows "$shape" ;;
    json) json "$shape" ;;
    esac
    echo "done"
done
