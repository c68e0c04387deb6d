#!/usr/bin/env python3
"""tools/lint-includes.py against planted breaches: rows of a file, a line in it, and what must be said
of that line (None: nothing)."""
import importlib.util
import pathlib
import unittest

TOOL = pathlib.Path(__file__).resolve().parents[2] / "tools" / "lint-includes.py"
spec = importlib.util.spec_from_file_location("lint_includes", TOOL)
lint = importlib.util.module_from_spec(spec)
spec.loader.exec_module(lint)

ROWS = [
    # own room, base, lower rooms
    ("store/rocks.c", '#include "store/rocks_priv.h"', None),
    ("store/rocks.c", '#include "store/kv.h"', None),
    ("store/rocks.c", '#include "base/queue.h"', None),
    ("store/rocks.c", '#include "record/record.h"', None),
    ("main.c", '#include "cli/cli.h"', None),
    ("cli/serve.c", '#include "daemon/params.def"', None),
    ("auth/client.c", '#include "crypto/sign.h"', None),
    # up and sideways
    ("record/record.c", '#include "store/store.h"', "points up"),
    ("base/map.c", '#include "json/json.h"', "points up"),
    ("contract/check.c", '#include "customer/customer.h"', "points sideways"),
    ("crypto/sign.c", '#include "json/json.h"', "points sideways"),
    ("intake/keep.c", '#include "registry/registry.h"', "points up"),
    ("registry/secret.c", '#include "intake/intake.h"', None),
    # insiders
    ("intake/keep.c", '#include "store/kv.h"', "not shown"),
    ("intake/keep.c", '#include "store/rocks_priv.h"', "insiders of store"),
    ("main.c", '#include "cli/cli_priv.h"', "insiders of cli"),
    ("intake/check.c", '#include "contract/format.h"', "not shown"),
    # written otherwise than from src/
    ("store/rocks.c", '#include "kv.h"', "names no room"),
    ("store/rocks.c", '#include "../record/record.h"', "names no room"),
    ("store/rocks.c", '  #  include "../record/record.h"', "names no room"),
    # libraries
    ("http/server.c", "#include <microhttpd.h>", None),
    ("daemon/serve.c", "#include <microhttpd.h>", "belongs to http"),
    ("auth/key.c", "#include <sodium.h>", "belongs to crypto"),
    ("intake/keep.c", "#include <rocksdb/c.h>", "belongs to store"),
    ("contract/load.c", "#include <simdjson.h>", "belongs to json"),
    ("auth/jwks.c", "#include <curl/curl.h>", "belongs to cli"),
    ("auth/jwks.c", "#include <rhonabwy.h>", None),
    ("unpack/unpack.c", "#include <zlib.h>", None),
    ("unpack/unpack.c", "#include <zstd_errors.h>", None),
    ("intake/split.c", "#include <zlib.h>", "belongs to unpack"),
    ("http/bulk.c", "#include <zstd.h>", "belongs to unpack"),
    ("csv/row.c", '#include "json/json.h"', None),
    ("csv/row.c", '#include "contract/contract.h"', "points sideways"),
    ("unpack/unpack.c", '#include "json/json.h"', "points sideways"),
    # purity
    ("base/clock.c", "#include <time.h>", None),
    ("customer/card.c", "#include <time.h>", "pure"),
    ("record/record.c", "#include <pthread.h>", "pure"),
    ("json/simdjson.cc", "#include <fstream>", "pure"),
    ("contract/check.c", '#include "base/clock.h"', "pure"),
    ("store/rocks.c", "#include <pthread.h>", None),
    ("contract/load.c", "    snprintf(text, sizeof text, format);", None),
    ("contract/load.c", '    printf("%d", 1);', "no printf()"),
    ("json/split.c", '    FILE *file = fopen(path, "r");', "no fopen()"),
    ("base/log.c", "    fwrite(line, 1, size, stderr);", None),
    # languages and rooms
    ("json/simdjson.cc", "int x;", None),
    ("json/other.cc", "int x;", "C++ stays"),
    ("attic/old.c", "int x;", "has no layer"),
]


def function(lines):
    return "void f(void)\n{\n" + "    g();\n" * lines + "}\n"


SIZES = [
    (function(70), None),
    (function(71), "a function of 71 lines"),
    ("int x;\n" * 800, None),
    ("int x;\n" * 801, "801 lines"),
]


class Rooms(unittest.TestCase):
    def expect(self, path, text, line, expected):
        found = list(lint.check_file(path, text))
        if expected is None:
            self.assertEqual(found, [])
            return
        self.assertEqual(len(found), 1, found)
        self.assertEqual(found[0][0], line, found)
        self.assertIn(expected, found[0][1])

    def test_includes(self):
        for path, text, expected in ROWS:
            with self.subTest(path=path, text=text):
                self.expect(path, text + "\n", 1, expected)

    def test_place(self):
        self.expect("record/record.c", '\n\n#include "store/store.h"\n', 3, "points up")

    def test_sizes(self):
        for text, expected in SIZES:
            with self.subTest(text=text[:20], lines=text.count("\n")):
                self.expect("store/rocks.c", text, 2 if text.startswith("void") else 1, expected)

    def test_tables_may_be_long(self):
        self.expect("base/errors.def", "int x;\n" * 900, 1, None)


if __name__ == "__main__":
    unittest.main()
