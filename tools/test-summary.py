#!/usr/bin/env python3
"""Adds up what Meson's and pytest's runs left behind: usage test-summary.py BUILD_DIR NAME…, for
BUILD_DIR/meson-logs/testlog.json and each BUILD_DIR/pytest-NAME.xml.

Prints one line, `N passed, N failed[, N skipped]`. A run that left nothing counts as failed: it broke
before it could report.
"""
import json
import pathlib
import sys
import xml.etree.ElementTree

MESON_PASSED = {"OK", "EXPECTEDFAIL"}


def meson_counts(path):
    """Each line of Meson's log is one test of the last run."""
    counts = {"passed": 0, "failed": 0, "skipped": 0}
    for line in path.read_text(encoding="utf-8").splitlines():
        result = json.loads(line)["result"]
        kind = "passed" if result in MESON_PASSED else "skipped" if result == "SKIP" else "failed"
        counts[kind] += 1
    return counts


def pytest_counts(path):
    counts = {"passed": 0, "failed": 0, "skipped": 0}
    for case in xml.etree.ElementTree.parse(path).iter("testcase"):
        kinds = {child.tag for child in case}
        kind = "failed" if kinds & {"failure", "error"} else "skipped" if "skipped" in kinds else "passed"
        counts[kind] += 1
    return counts


def main():
    build = pathlib.Path(sys.argv[1])
    total = {"passed": 0, "failed": 0, "skipped": 0}
    reports = [(meson_counts, build / "meson-logs" / "testlog.json")]
    reports += [(pytest_counts, build / f"pytest-{name}.xml") for name in sys.argv[2:]]
    for read, path in reports:
        try:
            counts = read(path)
        except (OSError, ValueError, KeyError, xml.etree.ElementTree.ParseError) as why:
            print(f"{path}: no report ({why})", file=sys.stderr)
            counts = {"failed": 1}
        for kind, count in counts.items():
            total[kind] += count
    skipped = f", {total['skipped']} skipped" if total["skipped"] else ""
    print(f"{total['passed']} passed, {total['failed']} failed{skipped}")
    return 1 if total["failed"] or not total["passed"] else 0


if __name__ == "__main__":
    sys.exit(main())
