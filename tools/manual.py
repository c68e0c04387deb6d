#!/usr/bin/env python3
"""The manual page: puts the parameters of params.def into its template.

Usage: manual.py TEMPLATE PARAMS_DEF OUTPUT
"""
import pathlib
import re
import sys

ROW = re.compile(r'^PARAM\((\w+),\s*(\w+),\s*"([^"]*)",\s*\w+,\s*\w+,\s*"([^"]*)",\s*"([^"]*)"\)', re.MULTILINE)


def entry(name, kind, standard, unit, sentence):
    flag = "--" + name.replace("_", "-")
    value = "" if kind == "FLAG" else f' " {unit or "NUMBER"}"'
    default = f" Default: {standard}." if kind != "FLAG" and standard else ""
    return ".TP\n.BI {}{}\n{}{}".format(flag.replace("-", "\\-"), value, sentence, default)


def main():
    template, params, output = (pathlib.Path(argument) for argument in sys.argv[1:])
    rows = ROW.findall(params.read_text(encoding="utf-8"))
    page = template.read_text(encoding="utf-8")
    if len(rows) != params.read_text(encoding="utf-8").count("\nPARAM(") or page.count("@PARAMETERS@") != 1:
        sys.exit(f"{params}: a row that this script can't read, or {template} has no place for them")
    output.write_text(page.replace("@PARAMETERS@", "\n".join(entry(*row) for row in rows)), encoding="utf-8")


if __name__ == "__main__":
    main()
