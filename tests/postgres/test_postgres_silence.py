"""Machines that are silent rather than gone: of the database's hosts one that takes connections and says nothing, or
does not even take them; a standby that is waited for and does not come back; and the database itself. A node goes on
beside them."""

import contextlib
import http.client
import socket
import subprocess
import threading
import time
import urllib.request

import pytest

import cluster
from instance import LEVEL, binary, clean_environment
from load import Client
from oracle import CYREXA, Recipe
from registry import Campaign, Registry

FROZEN_S = 6
ASKING = 4  # requests that ask the database: more than threads that serve them
WITHOUT_S = 18  # longer than a node counts as alive without a word


@contextlib.contextmanager
def silent_port(takes):
    """A port where nobody answers. Not `takes`: the kernel's queue is full, so that no connection comes to be."""
    with contextlib.ExitStack() as stack:
        listening = stack.enter_context(socket.socket())
        listening.bind(("127.0.0.1", 0))
        listening.listen(64 if takes else 0)
        port = listening.getsockname()[1]
        for _ in range(0 if takes else 4):
            waiting = stack.enter_context(socket.socket())
            waiting.setblocking(False)
            waiting.connect_ex(("127.0.0.1", port))
        yield port


@pytest.fixture(name="url", params=["takes connections", "takes none"])
def url_of_two(request):
    """Of two hosts, the first of them silent."""
    database = cluster.shared().create_database()
    with silent_port(request.param == "takes connections") as port:
        yield cluster.shared().url(database).replace("@", f"@127.0.0.1:{port},")
    cluster.shared().drop_database(database)


def test_the_second_host_is_found_from_outside(url):
    command = [str(binary()), "store", "status", "--store", url]
    done = subprocess.run(command, capture_output=True, text=True, env=clean_environment({}), check=False)
    assert done.returncode == 0, done.stderr
    assert "PostgreSQL" in done.stdout


def test_a_node_finds_the_second_host(tmp_path, url, luck):
    with Registry(tmp_path / "registry", url, luck, binary()) as registry:
        registry.start_node()
        Campaign(registry, "second", luck.random(), batches=2).join()
        registry.stop_nodes()


def test_a_node_stays_alive_without_the_standby(tmp_path, luck):
    """Commits wait for it. The node's own word of being alive does not: else each that it gives up leaves a session
    behind that waits, until the server takes no more."""
    with cluster.Cluster(replicated=True) as running:
        running.add_standby()
        database = running.create_database()
        url = f"postgresql://{cluster.USER}@127.0.0.1:{running.primary.port}/{database}"
        with Registry(tmp_path / "registry", url, luck, binary()) as registry:
            registry.start_node()
            running.standby.stop()
            time.sleep(WITHOUT_S)
            assert running.primary.value("SELECT count(*) FROM muster_node WHERE until > now()", database) == "1"
            assert len(waiting(running)) <= 1, waiting(running)
            if LEVEL in ("full", "soak"):  # it looks once a minute
                cluster.wait_until(lambda: "commits wait" in ready(registry), "the node tells that commits wait", 120)
            running.standby.start()
            Campaign(registry, "again", luck.random(), batches=2).join()
            registry.stop_nodes()


def waiting(running):
    """Sessions that wait for the standby, or behind one that does."""
    return running.primary.rows("SELECT wait_event, query FROM pg_stat_activity WHERE application_name = 'muster' AND "
                                "(wait_event = 'SyncRep' OR wait_event_type = 'Lock')")


def ready(registry):
    with urllib.request.urlopen(f"http://{registry.server.host}:{registry.server.port}/readyz") as answer:
        return answer.read().decode()


def ask(port, path):
    """The status of a GET over a connection of its own, which comes at once."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
    try:
        connection.request("GET", path)
        return connection.getresponse().status
    finally:
        connection.close()


def post(server, credentials, number, statuses):
    statuses.append(Client(server.host, server.port, credentials).send(
        CYREXA, Recipe(f"frozen{number}", CYREXA, 1).items(), key=f"frozen{number}").status)


def test_a_frozen_database_leaves_the_node_watched(tmp_path, luck):
    """Whatever the clients wait for, who watches the node at a port for that is answered; and so are they, in time."""
    with cluster.Cluster() as running:
        database, port = running.create_database(), cluster.free_port()
        arguments = ["--health-listen", f"127.0.0.1:{port}"]
        with Registry(tmp_path / "registry", running.url(database), luck, binary(), arguments) as registry:
            registry.start_node()
            statuses = []
            with running.primary.frozen():
                clients = [threading.Thread(target=post, args=(registry.server, registry.credentials, number, statuses))
                           for number in range(ASKING)]
                for client in clients:
                    client.start()
                until = time.monotonic() + FROZEN_S
                while time.monotonic() < until:
                    assert ask(port, "/healthz") == 200
                    assert ask(port, "/readyz") in (200, 503)
                    time.sleep(0.1)
                assert any(client.is_alive() for client in clients), "nobody had to wait"
            for client in clients:
                client.join()
            assert set(statuses) <= {200, 503} and len(statuses) == ASKING, statuses
            Campaign(registry, "again", luck.random(), batches=2).join()
            registry.stop_nodes()
