"""Cuts the power: takes back from a folder what was never synced, after power_cut.c's journal.

A file keeps what its last sync covered and, by the kind of cut, some of what was written behind it. A
name (made, renamed, removed) holds once its folder was synced. Operations on names of one folder
reach the disk in their order, so what is taken back of them is always the end of the journal.

Kinds of cut:
  strict  nothing survives but what was synced
  torn    each file keeps a random part of its unsynced end; of the names a random part holds
  pages   of its unsynced end a file keeps some pages and reads zeros in place of the others, as happens
          where a file system makes the length durable before the data
"""

import os
import pathlib
import shutil
import struct

CREATE, RENAME, REMOVE, OPEN, SYNC, SYNC_FOLDER, TRUNCATE, OVERWRITE = range(1, 9)
OP = struct.Struct("<IIQQQ240s240s")
CAPACITY = 32768
PAGE = 4096
STRICT, TORN, PAGES = "strict", "torn", "pages"


class Op:
    """An operation as the library wrote it down."""

    def __init__(self, number, raw):
        self.kind, done, self.inode, self.size, self.position, path, other = OP.unpack(raw)
        self.number, self.done = number, bool(done)
        other, self.bytes = (b"", other[:self.position]) if self.kind == OVERWRITE else (other, b"")
        self.path, self.other = (text.split(b"\0", 1)[0].decode() for text in (path, other))

    def happened(self):
        """The last operation on a name may be written down but not marked: the folder tells."""
        if self.done:
            return True
        return os.path.lexists(self.path) == (self.kind == CREATE)


class Journal:
    """One process's journal, with the limbo that keeps what has lost its name."""

    def __init__(self, folder, root):
        self.root = pathlib.Path(root).resolve()
        self.path, self.limbo = pathlib.Path(folder) / "journal", pathlib.Path(folder) / "limbo"
        shutil.rmtree(self.limbo, ignore_errors=True)
        self.limbo.mkdir(parents=True)
        with open(self.path, "wb") as file:
            file.truncate((CAPACITY + 1) * OP.size)

    def environment(self, library, delay_us=0):
        """What the process to watch is started with."""
        return {"LD_PRELOAD": str(library), "POWER_CUT_ROOT": str(self.root), "POWER_CUT_JOURNAL": str(self.path),
                "POWER_CUT_LIMBO": str(self.limbo), "POWER_CUT_DELAY_US": str(delay_us),
                # The sanitizer's library doesn't mind that another one was loaded before it.
                "ASAN_OPTIONS": os.environ.get("ASAN_OPTIONS", "") + ":verify_asan_link_order=0"}

    def count(self):
        """Operations so far; the process may be running."""
        with open(self.path, "rb") as file:
            return struct.unpack("<Q", file.read(8))[0]

    def kill_at(self, number):
        """The process dies when it comes to this operation, before it does it."""
        with open(self.path, "r+b") as file:
            file.seek(8)
            file.write(struct.pack("<Q", number + 1))

    def read(self):
        count = self.count()
        with open(self.path, "rb") as file:
            file.seek(OP.size)
            ops = [Op(number, file.read(OP.size)) for number in range(min(count, CAPACITY))]
        return [op for op in ops if op.kind != 0]


# Written in place without a sync, on purpose: after a cut it may be lost, which the store must bear.
IN_PLACE = ("acknowledged",)


def _synced_sizes(ops):
    """inode: how much of it is durable, for every file that was made or written to."""
    synced = {}
    in_place = set()
    for op in ops:
        if op.kind in (CREATE, OPEN) and os.path.basename(op.path) in IN_PLACE:
            in_place.add(op.inode)
        if op.kind == CREATE:
            synced.setdefault(op.inode, 0)
        elif op.kind == OPEN:
            synced.setdefault(op.inode, op.size)
        elif op.kind == SYNC:
            synced[op.inode] = max(op.size, synced.get(op.inode, 0))
        elif op.kind == TRUNCATE:
            synced[op.inode] = min(op.size, synced.get(op.inode, op.size))
        elif op.kind == OVERWRITE and op.inode in in_place:
            synced[op.inode] = 0
        elif op.kind == OVERWRITE and op.size < synced.get(op.inode, 0) and op.position > len(op.bytes):
            raise AssertionError(f"inode {op.inode} was overwritten at {op.size}, where it was synced")
    return synced


def _unsynced_overwrites(ops, synced):
    """inode: what was written over where it was synced, in order, behind its last sync."""
    pending = {}
    for op in ops:
        if op.kind == OVERWRITE and op.size < synced.get(op.inode, 0):
            pending.setdefault(op.inode, []).append(op)
        elif op.kind == SYNC:
            pending[op.inode] = [one for one in pending.get(op.inode, []) if one.number >= op.position]
    return pending


def _take_back_bytes(path, overwrites, synced, luck, kind):
    """What was there before is there again: all of it, or some."""
    with open(path, "r+b") as file:
        for op in reversed(overwrites):
            if kind == STRICT or luck.random() < 0.5:
                file.seek(op.size)
                file.write(op.bytes[:synced - op.size])


def _unsynced_names(ops):
    """folder: its operations on names, in order, behind its last sync."""
    pending = {}
    for op in ops:
        if op.kind in (CREATE, RENAME, REMOVE) and op.happened():
            pending.setdefault(os.path.dirname(op.path), []).append(op)
        elif op.kind == SYNC_FOLDER:
            pending[op.path] = [one for one in pending.get(op.path, []) if one.number >= op.position]
    return pending


def _take_back_name(op, limbo):
    saved = limbo / str(op.number)
    if op.kind == CREATE and os.path.isdir(op.path):
        shutil.rmtree(op.path)
    elif op.kind == CREATE:
        os.unlink(op.path)
    elif op.kind == RENAME:
        os.rename(op.other, op.path)
        if saved.exists():
            os.link(saved, op.other)
    else:
        os.link(saved, op.path)


def _take_back_names(ops, limbo, luck, kind):
    taken = []
    for pending in _unsynced_names(ops).values():
        kept = 0 if kind == STRICT else luck.randint(0, len(pending))
        taken += pending[kept:]
    for op in sorted(taken, key=lambda op: -op.number):
        if os.path.isdir(os.path.dirname(op.path)):  # not gone with its folder
            _take_back_name(op, limbo)
    return len(taken)


def _blank_pages(path, begin, end, luck):
    """Half of the pages never reached the disk; page boundaries are the file's."""
    lost = 0
    with open(path, "r+b") as file:
        for page in range(begin // PAGE, (end + PAGE - 1) // PAGE):
            first, last = max(begin, page * PAGE), min(end, (page + 1) * PAGE)
            if luck.random() < 0.5:
                file.seek(first)
                lost += file.write(bytes(last - first))
    return lost


def _cut_file(path, synced, luck, kind):
    """Bytes that the file lost."""
    size = path.stat().st_size
    if size <= synced:
        return 0
    if kind == PAGES:
        return _blank_pages(path, synced, size, luck)
    kept = synced if kind == STRICT else luck.choice([synced, size, luck.randint(synced, size)])
    os.truncate(path, kept)
    return size - kept


def cut(journal, luck, kind):
    """Cuts the power below the journal's root; how much that took back: (names, files, bytes)."""
    ops = journal.read()
    synced = _synced_sizes(ops)
    names = _take_back_names(ops, journal.limbo, luck, kind)
    overwrites = _unsynced_overwrites(ops, synced)
    losses = []
    for path in sorted(journal.root.rglob("*")):
        inode = path.lstat().st_ino
        if path.is_file() and inode in synced:
            _take_back_bytes(path, overwrites.get(inode, []), synced[inode], luck, kind)
            losses.append(_cut_file(path, synced[inode], luck, kind))
    return names, sum(1 for loss in losses if loss > 0), sum(losses)
