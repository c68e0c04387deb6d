"""The tests' own PostgreSQL does what the tests rely on."""

import os
import subprocess
import sys

import pytest

import cluster
import query


@pytest.fixture(scope="module")
def pair():
    with cluster.Cluster(replicated=True) as running:
        running.add_standby()
        yield running


def test_a_database_of_its_own_for_each_server():
    one, other = (cluster.shared().create_database() for _ in range(2))
    cluster.shared().primary.rows("CREATE TABLE t (n int)", one)
    with pytest.raises(query.Failed) as failed:
        cluster.shared().primary.rows("SELECT * FROM t", other)
    assert failed.value.code == "42P01"
    cluster.shared().drop_database(one)
    cluster.shared().drop_database(other)


def test_a_commit_waits_for_the_standby(pair):
    pair.primary.rows("CREATE TABLE waits (n int)")
    pair.standby.stop()
    try:
        with pair.primary.client() as client:
            client.socket.settimeout(1)
            with pytest.raises(OSError):
                client.rows("INSERT INTO waits VALUES (1)")
    finally:
        pair.standby.start()


def test_what_was_committed_is_there_after_a_failover(pair):
    pair.primary.rows("CREATE TABLE kept (n int)")
    for n in range(3):
        pair.primary.rows(f"INSERT INTO kept VALUES ({n})")
        dead = pair.fail_over()
        assert not dead.runs()
        assert pair.primary.value("SELECT count(*) FROM kept") == str(n + 1)
        pair.add_standby()
    assert pair.standby.is_standby() and not pair.primary.is_standby()


def test_a_killed_cluster_leaves_no_process(pair):
    session = pair.primary.client()
    pids = [pair.primary.process.pid, *cluster.children(pair.primary.process.pid)]
    pair.primary.kill()
    cluster.wait_until(lambda: not any(_is_alive(pid) for pid in pids), "all have ended")
    session.close()
    pair.primary.start()


def _is_alive(pid):
    try:
        with open(f"/proc/{pid}/stat", encoding="ascii") as stat:
            return stat.read().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def test_run_sets_the_variable_and_ends_the_cluster():
    script = f"import os; print(os.environ['{cluster.VARIABLE}'])"
    environment = {name: value for name, value in os.environ.items() if name != cluster.VARIABLE}
    done = subprocess.run([cluster.__file__, "run", "--", sys.executable, "-c", script], capture_output=True, text=True,
                          env=environment, check=True)
    url = done.stdout.strip()
    assert url.startswith("postgresql://muster@127.0.0.1:")
    with pytest.raises(OSError):
        query.Client("127.0.0.1", int(url.rpartition(":")[2].partition("/")[0]), "postgres")
