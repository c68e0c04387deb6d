#!/bin/sh
# The PostgreSQL reference of `muster bench`: COPY of the same customers by one and by four clients into a
# cluster that is made for it and removed afterwards.
#   copy.sh FOLDER      FOLDER holds cyrexa.0 … cyrexa.3 and nexera.0 … nexera.3, rows in COPY's text format
# Prints "copy-N SHAPE seconds cpu-seconds" for each; exit 77 when PostgreSQL is not installed.
# The table has the indexes that Muster keeps: primary key, unique external id, two plain ones.
set -eu

folder=$1
folder=$(cd "$folder" && pwd)
# shellcheck source=bench/cluster.sh
. "$(dirname "$0")/cluster.sh"

for shape in cyrexa nexera; do
    echo "$shape.0 $shape.1 $shape.2 $shape.3" >"$socket/one"
    printf '%s\n' "$shape.0" "$shape.1" "$shape.2" "$shape.3" >"$socket/four"
    copy copy-1 "$shape" <"$socket/one"
    copy copy-4 "$shape" <"$socket/four"
done
