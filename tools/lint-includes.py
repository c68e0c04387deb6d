#!/usr/bin/env python3
"""The rules of the house that a compiler does not know, checked over src/ (HACKING.md, rules 1 to 6).

A folder of src/ is a room on a layer. A file may include its own room, base, and rooms of lower
layers; of another room only what that room shows: <room>/<room>.h and the few extras listed here.
*_priv.h stays in its room, a library's headers in the rooms that own the library. Rooms of layers 1
to 3 are pure: no sockets, files, locks or clocks. No function over 70 lines, no file over 800.

Usage: lint-includes.py [ROOT]    prints `file:line: what is wrong`; 1 when there is anything.
"""
import pathlib
import re
import sys

LAYERS = {
    "base": 0, "json": 1, "crypto": 1, "unpack": 1, "csv": 2, "contract": 2, "customer": 2, "record": 3, "store": 4,
    "auth": 5, "intake": 6, "registry": 7, "http": 8, "daemon": 9, "cli": 10,
}
# What a room shows besides <room>/<room>.h. base shows everything.
SHOWN = {"contract/builtin.h", "crypto/digest.h", "crypto/sign.h", "daemon/params.def"}
# A library's headers, and the rooms that may see them.
OWNERS = [
    (r"microhttpd(_ws)?\.h", {"http"}),
    (r"sodium(\.h|/.*)", {"crypto"}),
    (r"rocksdb/.*", {"store"}),
    (r"libpq.*|pg_config.*|postgres.*", {"store"}),
    (r"simdjson(\.h|/.*)", {"json"}),
    (r"rhonabwy\.h|jansson\.h|orcania\.h|yder\.h|ulfius\.h|gnutls/.*", {"auth"}),
    (r"nettle/.*", {"crypto"}),
    (r"curl/.*", {"cli"}),
    (r"zlib\.h|zstd(_errors)?\.h", {"unpack"}),
]
PURE_LAYERS = {1, 2, 3}
IMPURE = re.compile(r"sys/(socket|stat|mman|file|time|un|epoll|select|ioctl)\.h|net(inet|db)?[/.].*|arpa/.*|"
                    r"fcntl\.h|unistd\.h|pthread\.h|threads\.h|time\.h|poll\.h|dirent\.h|signal\.h|"
                    r"semaphore\.h|fstream|mutex|thread|chrono")
# stdio.h is there for snprintf; streams are not.
STREAMS = re.compile(r"\b(f(d|re)?open|v?fprintf|v?printf|f?puts|putchar|fputc|fwrite|fread|fgets|perror)\s*\(")
# The clock and the lock that base owns are as impure as the system's.
IMPURE_BASE = {"base/clock.h", "base/queue.h"}
CPLUSPLUS = {"json/simdjson.cc"}
FUNCTION_LINES = 70
FILE_LINES = 800

INCLUDE = re.compile(r'^\s*#\s*include\s*([<"])([^>"]+)[>"]')


def room_of(path):
    """Room of a path below src/, or None for a file that stands in src/ itself."""
    parts = path.split("/")
    return parts[0] if len(parts) > 1 else None


def breach_of_quoted(path, room, target):
    """Why this file may not include that file of the house, or None."""
    other = room_of(target)
    if other not in LAYERS:
        return f'"{target}" names no room; write includes from src/'
    if other == room:
        return None
    if target.endswith("_priv.h"):
        return f"{target} is for insiders of {other}"
    if room is not None and LAYERS[other] >= LAYERS[room]:
        way = "sideways" if LAYERS[other] == LAYERS[room] else "up"
        return f"{target} points {way}: {room} is L{LAYERS[room]}, {other} is L{LAYERS[other]}"
    if other != "base" and target != f"{other}/{other}.h" and target not in SHOWN:
        return f"{target} is not shown to other rooms; include {other}/{other}.h"
    if room is not None and LAYERS[room] in PURE_LAYERS and target in IMPURE_BASE:
        return f"{room} is pure: no {target}; take the time as an argument"
    return None


def breach_of_system(room, target):
    """Why this room may not include that system or library header, or None."""
    for pattern, owners in OWNERS:
        if re.fullmatch(pattern, target) and room not in owners:
            return f"<{target}> belongs to {', '.join(sorted(owners))}"
    if room is not None and LAYERS[room] in PURE_LAYERS and IMPURE.fullmatch(target):
        return f"{room} is pure: no <{target}>"
    return None


def check_lines(path, lines):
    room = room_of(path)
    for number, line in enumerate(lines, 1):
        match = INCLUDE.match(line)
        if match is None:
            call = STREAMS.search(line) if room is not None and LAYERS[room] in PURE_LAYERS else None
            if call:
                yield number, f"{room} is pure: no {call.group(1)}()"
            continue
        kind, target = match.groups()
        breach = breach_of_quoted(path, room, target) if kind == '"' else breach_of_system(room, target)
        if breach:
            yield number, breach


def check_sizes(path, lines):
    """Functions are found by their braces in the first column, which clang-format puts there."""
    if len(lines) > FILE_LINES and not path.endswith(".def"):
        yield 1, f"{len(lines)} lines; a file has {FILE_LINES} at most"
    opened = None
    for number, line in enumerate(lines, 1):
        if line.startswith("{"):
            opened = number
        elif line.startswith("}") and opened is not None:
            if number - opened - 1 > FUNCTION_LINES:
                yield opened, f"a function of {number - opened - 1} lines; {FUNCTION_LINES} at most"
            opened = None


def check_file(path, text):
    """All breaches of one file; path is below src/. Yields (line, sentence)."""
    room = room_of(path)
    if room is not None and room not in LAYERS:
        yield 1, f"the room {room} has no layer; give it one in tools/lint-includes.py"
        return
    if path.endswith((".cc", ".cpp", ".cxx", ".hpp")) and path not in CPLUSPLUS:
        yield 1, "C++ stays in json/simdjson.cc"
    lines = text.split("\n")
    if lines and lines[-1] == "":
        lines.pop()
    yield from check_lines(path, lines)
    yield from check_sizes(path, lines)


def main():
    root = pathlib.Path(sys.argv[1]) if len(sys.argv) > 1 else pathlib.Path(__file__).resolve().parent.parent
    source = root / "src"
    files = sorted(p for p in source.rglob("*") if p.suffix in {".c", ".h", ".def", ".cc", ".cpp", ".cxx", ".hpp"})
    if not files:
        print(f"{source}: no sources", file=sys.stderr)
        return 1
    breaches = 0
    for file in files:
        path = file.relative_to(source).as_posix()
        for line, sentence in check_file(path, file.read_text(encoding="utf-8")):
            print(f"src/{path}:{line}: {sentence}")
            breaches += 1
    return 1 if breaches else 0


if __name__ == "__main__":
    sys.exit(main())
