#!/bin/sh
# The demo behind `./dev run`: starts a server with the tenant "demo", sends it both documented
# requests exactly as their pages print them, reads one customer back, and serves on until Ctrl-C.
# Usage: demo.sh PATH_OF_MUSTER. Data: $MUSTER_DATA or ./muster-data; port: $MUSTER_PORT or 8484.
# The one difficulty: the server must end with this script, and this script with the server.
set -eu
muster=$1
data=${MUSTER_DATA:-./muster-data}
port=${MUSTER_PORT:-8484}
unset MUSTER_PORT # not a parameter of the server, which refuses names that it doesn't know
demo=$data/demo.json
log=$data/server.log
server=
bold= plain=
[ ! -t 1 ] || { bold=$(printf '\033[1m'); plain=$(printf '\033[0m'); }
answer=$(mktemp)

finish() {
    status=$?
    trap - EXIT INT TERM HUP
    if [ -n "$server" ]; then
        kill -TERM "$server" 2>/dev/null || true
        wait "$server" || status=$?
    fi
    rm -f "$answer"
    exit "$status"
}
trap finish EXIT
trap 'exit 0' INT TERM HUP

start() {
    [ -d "$data" ] || mkdir -p -m 700 "$data"
    : >"$log"
    "$muster" serve --demo --data "$data" --listen "127.0.0.1:$port" >"$log" 2>&1 &
    server=$!
    for _ in $(seq 300); do
        kill -0 "$server" 2>/dev/null || { cat "$log" >&2; exit 1; }
        if grep -q '^muster is ready' "$log"; then
            return
        fi
        sleep 0.1
    done
    echo "demo: the server was not ready within 30 s" >&2
    exit 1
}

# A member of demo.json.
value() {
    sed -n 's/.*"'"$1"'" *: *"\([^"]*\)".*/\1/p' "$demo"
}

# Enough of a secret to tell it from another.
short() {
    printf '%.12s…' "$1"
}

# request METHOD PATH [-H HEADER…] [--data-binary @FILE]: prints it, sends it, prints the answer.
request() {
    method=$1 path=$2
    shift 2
    printf '\n%s%s %s%s\n' "$bold" "$method" "$path" "$plain"
    previous=
    for word in "$@"; do
        case "$previous$word" in
        "-HAuthorization: Bearer "*) echo "  Authorization: Bearer $(short "${word#* Bearer }")" ;;
        "-Htoken: "*) echo "  token: $(short "${word#token: }")" ;;
        -H*) [ "$previous" = -H ] && echo "  $word" ;;
        --data-binary@*) echo "  < ${word#@} ($(wc -c <"${word#@}") bytes)" ;;
        esac
        previous=$word
    done
    code=$(curl -sS -o "$answer" -w '%{http_code}' -X "$method" "$@" "$(value url)$path")
    printf '\342\206\222 %s\n' "$code"
    python3 -m json.tool --indent 2 --no-ensure-ascii "$answer" | sed 's/^/  /'
    [ "$code" = 200 ] || { echo "demo: expected 200" >&2; exit 1; }
}

start
bearer="Authorization: Bearer $(value accessToken)"
json="Content-Type: application/json"
request POST /customer/1.0.0/createBulk -H "$bearer" -H "tenantId: $(value tenantId)" -H "token: $(value tenantToken)" \
    -H "$json" --data-binary @examples/cyrexa-createBulk.json
request POST /customers/batch -H "$bearer" -H "$json" --data-binary @examples/nexera-customers-batch.json
id=$(sed -n 's/.*\["\([0-9a-f-]*\)".*/\1/p' "$answer")
request GET "/v1/customers/$id" -H "$bearer"

cat <<END

Muster serves at $(value url) until Ctrl-C. Tokens for your own requests are in $demo;
README.md shows both requests with curl. The server's log is $log.
END
# A signal ends the wait; the trap passes it on.
wait "$server" && status=0 || status=$?
server=
exit "$status"
