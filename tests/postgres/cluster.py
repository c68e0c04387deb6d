#!/usr/bin/env python3
"""PostgreSQL of the tests' own: a cluster in a temporary folder, on a free port of 127.0.0.1, without passwords.

    cluster.py run [--durable] -- COMMAND …   starts one, sets MUSTER_TEST_POSTGRES to its URL, runs the command,
                                              stops it; the command runs without the variable, or exit 77 with
                                              --or-skip, where PostgreSQL is not installed

As a module: Cluster (a primary and, when asked for, a synchronous standby; kill, promote, fail over) and shared(),
one for the whole process. The difficulty is that PostgreSQL refuses root and that its processes are many: it is
started as another user then, in a folder which that user owns, and what is killed is killed with all its children.
"""

import argparse
import atexit
import contextlib
import ctypes
import itertools
import os
import pathlib
import pwd
import random
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.parse

import query

USER = "muster"
PATIENCE_S = 60
VARIABLE = "MUSTER_TEST_POSTGRES"
MISSING = "PostgreSQL is not installed: ./dev deps installs postgresql-15"
SETTINGS = """
listen_addresses = '127.0.0.1'
unix_socket_directories = ''
max_connections = 200
shared_buffers = 64MB
jit = off
max_wal_size = 1GB
logging_collector = off
log_min_messages = warning
log_line_prefix = '%m [%p] %q%d '
"""
# kill -9 takes nothing that was written from the kernel: only where the machine itself is said to lose power, or
# where speed is measured, must a cluster sync.
FAST = """
fsync = off
"""
ALONE = """
wal_level = minimal
max_wal_senders = 0
full_page_writes = off
"""
REPLICATED = """
wal_level = replica
max_wal_senders = 8
wal_keep_size = 256MB
hot_standby = on
wal_receiver_status_interval = 1s
wal_retrieve_retry_interval = 100ms
"""
_databases = itertools.count(1)
_template = []
_shared = []


def programs():
    """The folder of the newest PostgreSQL's programs, or None."""
    def version(path):
        return [int(part) for part in re.findall(r"\d+", path.parent.name)]
    found = [path for path in pathlib.Path("/usr/lib/postgresql").glob("*/bin") if (path / "initdb").is_file()]
    if found:
        return max(found, key=version)
    beside = shutil.which("initdb")
    return pathlib.Path(beside).resolve().parent if beside else None


def installed():
    return programs() is not None


def _owner():
    """Who the server runs as: us, or another user if we are root."""
    if os.geteuid() != 0:
        return {}
    for name in ("postgres", "nobody"):
        with contextlib.suppress(KeyError):
            user = pwd.getpwnam(name)
            return {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": []}
    raise RuntimeError("root can't run PostgreSQL, and there is no user postgres or nobody")


def _die_with_us():
    """In the new process: SIGQUIT, an immediate stop, when the tests are killed."""
    ctypes.CDLL(None).prctl(1, signal.SIGQUIT)


def _run(name, *arguments):
    done = subprocess.run([str(programs() / name), *map(str, arguments)], stdin=subprocess.DEVNULL,
                          capture_output=True, text=True, cwd="/", env=_environment(), check=False, **_owner())
    if done.returncode != 0:
        raise RuntimeError(f"{name}: {done.stdout[-1000:]} {done.stderr[-1000:]}")


def _environment():
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("PG", "MUSTER_", "LD_"))}
    return {**kept, "LC_ALL": "C", "TZ": "UTC"}


def _folder():
    """A new folder that the server's user owns; outside of folders that only root may enter."""
    parent = pathlib.Path("/var/tmp" if os.geteuid() == 0 else tempfile.gettempdir())
    _remove_orphans(parent)
    folder = pathlib.Path(tempfile.mkdtemp(prefix=f"muster-postgres-{os.getpid()}-", dir=parent))
    owner = _owner()
    if owner:
        os.chown(folder, owner["user"], owner["group"])
    return folder


def _remove_orphans(parent):
    """Of processes that were killed before they could; their servers have ended with them."""
    for folder in parent.glob("muster-postgres-*-*"):
        pid = folder.name.split("-")[2]
        if pid.isdigit() and not pathlib.Path(f"/proc/{pid}").exists():
            _remove(folder)


def _remove(folder):
    shutil.rmtree(folder, ignore_errors=True)


def template():
    """A data folder as initdb makes it, made once for this process."""
    if not _template:
        folder = _folder()
        atexit.register(_remove, folder)
        _run("initdb", "--no-sync", "-D", folder / "data", "-A", "trust", "-U", USER, "-E", "UTF8", "--no-locale")
        _template.append(folder / "data")
    return _template[0]


def free_port():
    """None that the system gives to whoever asks for any (32768 and up): such a one may go to somebody's connection
    before it is listened at."""
    while True:
        port = random.SystemRandom().randrange(10240, 32768)
        with contextlib.suppress(OSError), socket.create_server(("127.0.0.1", port)):
            return port


def wait_until(condition, what, seconds=PATIENCE_S, pause=0.02):
    until = time.monotonic() + seconds
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > until:
            raise TimeoutError(f"not within {seconds} s: {what}")
        time.sleep(pause)


def children(pid):
    """Pids of a process's children."""
    with contextlib.suppress(OSError):
        return [int(one) for one in pathlib.Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    return []


class Node:
    """One server over a data folder that exists."""

    def __init__(self, folder, name):
        self.folder, self.name, self.port = folder, name, free_port()
        self.data, self.log = folder / name, folder / f"{name}.log"
        self.process = None

    def configure(self, text):
        with open(self.data / "postgresql.conf", "a", encoding="ascii") as file:
            file.write(text)

    def start(self):
        command = [str(programs() / "postgres"), "-D", str(self.data), "-p", str(self.port)]
        with open(self.log, "ab") as log:
            self.process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, cwd="/",
                                            env=_environment(), preexec_fn=_die_with_us, **_owner())
        wait_until(self._answers, f"PostgreSQL starts: {self.log_tail()}")
        return self

    def _answers(self):
        if self.process.poll() is not None:
            raise RuntimeError(f"PostgreSQL ended: {self.log_tail()}")
        with contextlib.suppress(OSError, query.Failed):
            with self.client():
                return True
        return False

    def log_tail(self):
        return self.log.read_text(errors="replace")[-1500:] if self.log.exists() else ""

    def client(self, database="postgres"):
        return query.Client("127.0.0.1", self.port, database, USER)

    def rows(self, sql, database="postgres"):
        with self.client(database) as client:
            return client.rows(sql)

    def value(self, sql, database="postgres"):
        return self.rows(sql, database)[0][0]

    def runs(self):
        return self.process is not None and self.process.poll() is None

    def stop(self, kind=signal.SIGINT):
        """Fast by default: clients are thrown out; SIGQUIT: at once, as in a crash."""
        if self.runs():
            self.process.send_signal(kind)
            try:
                self.process.wait(PATIENCE_S)
            except subprocess.TimeoutExpired:
                self.kill()

    def kill(self):
        """kill -9 of the server with all its processes: none of them can finish or answer anything."""
        if self.runs():
            pid = self.process.pid
            os.kill(pid, signal.SIGSTOP)  # it starts no more
            for child in children(pid):
                with contextlib.suppress(ProcessLookupError):
                    os.kill(child, signal.SIGKILL)
            os.kill(pid, signal.SIGKILL)
            self.process.wait()

    @contextlib.contextmanager
    def frozen(self):
        """It is there and says nothing: connections come to be, and no statement is answered."""
        pid = self.process.pid
        os.kill(pid, signal.SIGSTOP)
        stopped = [pid, *children(pid)]
        for child in stopped[1:]:
            os.kill(child, signal.SIGSTOP)
        try:
            yield
        finally:
            for child in reversed(stopped):
                os.kill(child, signal.SIGCONT)

    def kill_backends(self, signal_number=signal.SIGKILL):
        """kill -9 of one session: the server throws all out, recovers and goes on by itself."""
        pids = self.rows("SELECT pid FROM pg_stat_activity WHERE backend_type = 'client backend' AND "
                         "pid <> pg_backend_pid() AND application_name <> 'tests' LIMIT 1")
        for (pid,) in pids:
            with contextlib.suppress(ProcessLookupError):
                os.kill(int(pid), signal_number)
        return len(pids)

    def is_standby(self):
        return self.value("SELECT pg_is_in_recovery()") == "t"

    def promote(self):
        self.rows("SELECT pg_promote(true, 60)")


class Cluster:
    """A primary and perhaps a standby. `replicated`: it may have one; `durable`: it syncs, as in earnest."""

    def __init__(self, replicated=False, durable=False, settings=""):
        self.replicated = replicated or durable
        self.settings = SETTINGS + (REPLICATED if self.replicated else ALONE) + ("" if durable else FAST) + settings
        self.made = 0
        self.folder = _folder()
        self.primary, self.standby = None, None

    def __enter__(self):
        try:
            return self.start()
        except BaseException:
            self.end()
            raise

    def __exit__(self, *_):
        self.end()

    def _node(self):
        self.made += 1
        return Node(self.folder, f"node{self.made}")

    def start(self):
        self.primary = self._node()
        _copy_tree(template(), self.primary.data)
        self.primary.configure(self.settings)
        self.primary.start()
        return self

    def end(self):
        for node in (self.standby, self.primary):
            if node is not None:
                node.stop(signal.SIGQUIT)
        _remove(self.folder)

    # ---- databases ----

    def create_database(self, name=None):
        """A new empty database; its name."""
        name = name or f"muster_{os.getpid()}_{next(_databases)}"
        self.primary.rows(f'CREATE DATABASE "{name}"')
        return name

    def drop_database(self, name):
        self.primary.rows(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')

    def url(self, database="postgres"):
        """Of all nodes: with a standby, whichever takes writes."""
        nodes = [node for node in (self.primary, self.standby) if node is not None]
        hosts = ",".join(f"127.0.0.1:{node.port}" for node in nodes)
        more = "?target_session_attrs=read-write" if len(nodes) > 1 else ""
        return f"postgresql://{USER}@{hosts}/{database}{more}"

    def files_of(self, database):
        """The files that its rows are in, once they are written, and the server's log."""
        self.primary.rows("CHECKPOINT")
        oid = self.primary.value(f"SELECT oid FROM pg_database WHERE datname = '{database}'")
        return [path for path in (self.primary.data / "base" / oid).iterdir() if path.is_file()] + [self.primary.log]

    # ---- the standby ----

    def add_standby(self, port=None):
        """A synchronous standby from a base backup; from then on no commit is answered without it."""
        assert self.replicated, "it writes no log that a standby could follow"
        node = self._node()
        node.port = port or node.port
        name = node.name
        _run("pg_basebackup", "-d", f"host=127.0.0.1 port={self.primary.port} user={USER}", "-D", node.data,
             "-X", "stream", "-c", "fast", "--no-sync")
        (node.data / "standby.signal").touch()
        node.configure(f"primary_conninfo = 'host=127.0.0.1 port={self.primary.port} user={USER} "
                       f"application_name={name}'\nsynchronous_standby_names = ''\n")
        self.standby = node.start()
        self.make_synchronous(name)
        return node

    def make_synchronous(self, name):
        """Commits wait for that standby; '' for none. Returns when it has all that was written before."""
        self.primary.rows(f"ALTER SYSTEM SET synchronous_standby_names = '{name}'")
        self.primary.rows("SELECT pg_reload_conf()")
        if name:
            wait_until(lambda: self._is_synchronous(name), "the standby is synchronous", 5 * PATIENCE_S)
            end = self.primary.value("SELECT pg_current_wal_flush_lsn()")
            wait_until(lambda: self.primary.value(
                f"SELECT count(*) FROM pg_stat_replication WHERE flush_lsn >= '{end}'") != "0", "the standby has all")

    def _is_synchronous(self, name):
        return self.primary.rows("SELECT 1 FROM pg_stat_replication WHERE sync_state = 'sync' AND "
                                 f"application_name = '{name}'") != []

    def fail_over(self):
        """kill -9 of the primary; the standby, which has all that was answered, takes its place, alone."""
        dead = self.primary
        dead.kill()
        self.standby.rows("ALTER SYSTEM SET synchronous_standby_names = ''")
        self.standby.rows("SELECT pg_reload_conf()")
        self.standby.promote()
        self.primary, self.standby = self.standby, None
        _remove(dead.data)
        return dead


def _copy_tree(source, target):
    subprocess.run(["cp", "-a", str(source), str(target)], check=True)


class Foreign:
    """The cluster of MUSTER_TEST_POSTGRES, started by `cluster.py run`: databases, nothing else."""

    def __init__(self, url):
        self.parts = urllib.parse.urlsplit(url)
        self.primary = self

    def rows(self, sql, database="postgres"):
        with query.Client(self.parts.hostname, self.parts.port, database, self.parts.username) as client:
            return client.rows(sql)

    create_database, drop_database = Cluster.create_database, Cluster.drop_database

    def files_of(self, database):
        """They may be on another machine."""
        return []

    def url(self, database="postgres"):
        return self.parts._replace(path="/" + database).geturl()


def shared():
    """A fast cluster for the whole process: that of MUSTER_TEST_POSTGRES, or one that is ended at exit."""
    if not _shared:
        url = os.environ.get(VARIABLE)
        if url:
            _shared.append(Foreign(url))
        else:
            one = Cluster()
            atexit.register(one.end)
            _shared.append(one.start())
    return _shared[0]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    verbs = parser.add_subparsers(dest="verb", required=True)
    run = verbs.add_parser("run")
    run.add_argument("--durable", action="store_true", help="fsync and the rest as in earnest")
    run.add_argument("--or-skip", action="store_true", help="exit 77 where PostgreSQL is not installed")
    run.add_argument("command", nargs="+")
    arguments = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))  # and not without stopping it
    if not installed():
        print(f"cluster: {MISSING}", file=sys.stderr)
        return 77 if arguments.or_skip else subprocess.run(arguments.command, check=False).returncode
    with Cluster(durable=arguments.durable) as cluster:
        environment = {**os.environ, VARIABLE: cluster.url()}
        return subprocess.run(arguments.command, env=environment, check=False).returncode


if __name__ == "__main__":
    sys.exit(main())
