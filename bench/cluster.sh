# shellcheck shell=sh disable=SC2154
# Read by the scripts beside it: makes a PostgreSQL cluster of their own, which ends and goes with them. $folder, where
# they were told to work, is set before. Exit 77 when PostgreSQL is not installed.
# Durable as Muster is: fsync and synchronous_commit stay on.

bin=$(find /usr/lib/postgresql -mindepth 2 -maxdepth 2 -name bin 2>/dev/null | sort -V | tail -n 1)
if [ -z "$bin" ] || [ ! -x "$bin/initdb" ]; then
    exit 77
fi

# PostgreSQL refuses to run as root; then it runs as another user, who must get at its folder.
user=
if [ "$(id -u)" = 0 ]; then
    user=postgres
    id "$user" >/dev/null 2>&1 || user=nobody
fi
as_user() {
    if [ -n "$user" ]; then
        runuser -u "$user" -- "$@"
    else
        "$@"
    fi
}

chmod go+x "$folder"
cluster=$folder/postgres
mkdir "$cluster"
if ! as_user test -x "$folder"; then
    rmdir "$cluster"
    cluster=$(mktemp -d /var/tmp/muster-bench-postgres-XXXXXX)
fi
socket=$(mktemp -d /tmp/muster-bench-XXXXXX) # a short path: sockets allow no long one
[ -z "$user" ] || chown "$user" "$cluster" "$socket"

cleanup() {
    (cd / && as_user "$bin/pg_ctl" -D "$cluster/data" -m immediate -w stop) >/dev/null 2>&1 || :
    rm -rf "$cluster" "$socket"
}
trap cleanup EXIT
trap 'exit 1' INT TERM

cd /
as_user "$bin/initdb" -D "$cluster/data" -A trust -U bench -E UTF8 --no-locale >"$cluster/log" 2>&1
cat >>"$cluster/data/postgresql.conf" <<CONF
listen_addresses = ''
unix_socket_directories = '$socket'
shared_buffers = 256MB
maintenance_work_mem = 64MB
max_wal_size = 8GB
checkpoint_timeout = 30min
CONF
as_user "$bin/pg_ctl" -D "$cluster/data" -l "$cluster/server.log" -w start >/dev/null
postmaster=$(head -n 1 "$cluster/data/postmaster.pid")

sql() {
    PGOPTIONS='--client-min-messages=warning' "$bin/psql" -q -X -v ON_ERROR_STOP=1 -h "$socket" -U bench -d postgres \
        "$@"
}

# CPU seconds of the whole cluster: what its processes have used, and those that have ended.
cpu() {
    ticks=$(getconf CLK_TCK)
    for pid in $postmaster $(pgrep -P "$postmaster"); do
        cat "/proc/$pid/stat" 2>/dev/null || :
    done | awk -v ticks="$ticks" -v postmaster="$postmaster" '
        { pid = $1; sub(/^.*\) /, ""); total += $12 + $13; if (pid == postmaster) total += $14 + $15 }
        END { printf "%.3f\n", total / ticks }'
}

now() {
    date +%s.%N
}

make_table() {
    sql -c 'DROP TABLE IF EXISTS customers' -c 'CREATE TABLE customers (id uuid PRIMARY KEY, external_id text NOT NULL,
        first text NOT NULL, second text NOT NULL, document json NOT NULL)' \
        -c 'CREATE UNIQUE INDEX ON customers (external_id)' -c 'CREATE INDEX ON customers (first)' \
        -c 'CREATE INDEX ON customers (second)' -c 'CHECKPOINT'
}

# copy NAME SHAPE: every line of stdin is the list of files of one client. Prints "NAME SHAPE seconds cpu-seconds"
copy() {
    make_table
    cpu_before=$(cpu)
    before=$(now)
    pids=
    while read -r files; do
        # shellcheck disable=SC2086
        (cd "$folder" && cat $files) | sql -c 'COPY customers FROM STDIN' &
        pids="$pids $!"
    done
    for pid in $pids; do
        wait "$pid"
    done
    after=$(now)
    cpu_after=$(cpu)
    awk -v name="$1" -v shape="$2" -v a="$before" -v b="$after" -v c="$cpu_before" -v d="$cpu_after" \
        'BEGIN { printf "%s %s %.3f %.3f\n", name, shape, b - a, d - c }'
}
