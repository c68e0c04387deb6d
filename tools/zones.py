#!/usr/bin/env python3
"""Writes the table of IANA time zone names from tzdata.zi.

The names are compiled in, for nothing below the store reads files at run time, and the table is
committed, so that a build does not depend on the machine's tzdata. Run again after a release of
tzdata that adds names:

    tools/zones.py /usr/share/zoneinfo/tzdata.zi > src/contract/format_zones.inc

A name stands in a line "Z NAME ..." (zone) or "L TARGET NAME" (link); see zic(8).
"""
import sys


def names(lines):
    for line in lines:
        words = line.split()
        if words[:1] == ["Z"]:
            yield words[1]
        elif words[:1] == ["L"]:
            yield words[2]


def main(path):
    with open(path, encoding="ascii") as file:
        lines = file.read().splitlines()
    version = lines[0].removeprefix("# version ")
    print(f"/* Time zone names of tzdata {version}, in byte order. Made by tools/zones.py. */")
    for name in sorted(set(names(lines))):
        print(f'ZONE("{name}")')


if __name__ == "__main__":
    main(sys.argv[1] if len(sys.argv) > 1 else "/usr/share/zoneinfo/tzdata.zi")
