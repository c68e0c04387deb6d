"""What the preload libraries fail_nth.so and fail_memory.so are told, and what they count."""

import errno
import mmap
import os
import struct

WRITE, SHORT, TORN, SYNC, RENAME, OPEN, SPACE, READ, MEMORY, MEMORY_ALL = range(10)
CLASSES = ("write", "short", "torn", "sync", "rename", "open", "space", "read", "memory", "memory-all")
LAYOUT = struct.Struct(f"<{len(CLASSES)}QQIIII")
COUNTS = struct.Struct(f"<{len(CLASSES)}Q")
ORDER = struct.Struct("<QIIII")


class Fault:
    """Which call fails, how, and whether all behind it fail too."""

    def __init__(self, kind, at, error=errno.EIO, for_good=False):
        self.kind, self.at, self.error, self.for_good = kind, at, error, for_good

    def __repr__(self):
        times = "for good" if self.for_good else "once"
        return f"{CLASSES[self.kind]} {self.at} {errno.errorcode[self.error]} {times}"


class Control:
    """The page that the processes of one test share with it."""

    def __init__(self, path, root):
        self.path, self.root = path, root
        with open(path, "w+b") as file:
            file.truncate(mmap.PAGESIZE)
            self.page = mmap.mmap(file.fileno(), mmap.PAGESIZE)

    def environment(self, *libraries):
        return {"LD_PRELOAD": ":".join(map(str, libraries)), "FAIL_ROOT": str(self.root),
                "FAIL_CONTROL": str(self.path),
                # The sanitizer's library doesn't mind that another one was loaded before it.
                "ASAN_OPTIONS": os.environ.get("ASAN_OPTIONS", "") + ":verify_asan_link_order=0"}

    def arm(self, fault):
        ORDER.pack_into(self.page, COUNTS.size, fault.at, fault.kind, fault.error, fault.for_good, 0)

    def arm_next(self, kind, error=errno.EIO, for_good=False):
        """The next call of that class fails; the process may be running."""
        self.arm(Fault(kind, self.counts()[kind] + 1, error, for_good))

    def lift(self):
        ORDER.pack_into(self.page, COUNTS.size, 0, 0, 0, 0, self.failed())

    def counts(self):
        return COUNTS.unpack_from(self.page, 0)

    def failed(self):
        """How many calls failed since the fault was set."""
        return LAYOUT.unpack_from(self.page, 0)[-1]
