#!/usr/bin/env python3
"""Writes the contract files as a C file: embed.py OUT IN...

The order of the inputs is the order of contract_builtin's index.
"""
import os
import sys


def array(name, data):
    rows = [data[i:i + 20] for i in range(0, len(data), 20)]
    body = "\n".join("    " + " ".join(f"{byte}," for byte in row) for row in rows)
    return f"static const unsigned char {name}[] = {{\n{body}\n}};\n"


def main():
    out, inputs = sys.argv[1], sys.argv[2:]
    names = [os.path.splitext(os.path.basename(path))[0].upper() for path in inputs]
    parts = ["/* Made by tools/embed.py from contracts/. */\n#include \"contract/builtin.h\"\n"]
    for name, path in zip(names, inputs):
        with open(path, "rb") as file:
            parts.append(array(name, file.read()))
    cases = "\n".join(f"    case {i}:\n        return slice_make({name}, sizeof {name});" for i, name in enumerate(names))
    parts.append(
        "struct slice contract_builtin(size_t index)\n{\n    switch (index) {\n"
        f"{cases}\n    default:\n        return SLICE_NONE;\n    }}\n}}\n")
    with open(out, "w", encoding="utf-8") as file:
        file.write("\n".join(parts))


if __name__ == "__main__":
    main()
