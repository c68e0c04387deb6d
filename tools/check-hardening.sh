#!/bin/sh
# Reads back from a binary what the compiler was asked for: position independence, read-only
# relocations, no executable stack, stack canaries, checked library calls. (Branch protection is not
# asked for: Debian 12 starts programs with objects that lack its mark, so no binary can carry it.)
# Usage: check-hardening.sh BINARY. Prints each property; 1 when one is missing.
set -u
export LC_ALL=C
binary=$1
headers=$(readelf -W -h -l -d "$binary") || exit 1
symbols=$(readelf -W --dyn-syms "$binary") || exit 1
failed=0

# check NAME TEXT PATTERN: the pattern must be there.
check() {
    if printf '%s\n' "$2" | grep -Eq -- "$3"; then
        echo "ok   $1"
    else
        echo "MISS $1"
        failed=1
    fi
}

check 'position independent' "$headers" 'Type: +DYN'
check 'read-only relocations' "$headers" 'GNU_RELRO'
check 'bound at start' "$headers" 'FLAGS_1.*NOW'
check 'no executable stack' "$headers" 'GNU_STACK.* RW +0x'
check 'stack canaries' "$symbols" '__stack_chk_fail'
check 'checked library calls' "$symbols" '__(memcpy|memmove|memset|snprintf|vsnprintf|read|strcpy|fprintf|printf)_chk'
exit $failed
