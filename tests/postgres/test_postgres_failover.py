"""The database's primary dies under load and its synchronous standby takes its place; or the server dies and comes
back. Nothing that was acknowledged is lost, nothing is there twice, and the nodes go on by themselves."""

import os
import signal
import time

import pytest

import cluster
from instance import LEVEL, binary
from registry import Campaign, Registry, parts

FAILOVERS = int(os.environ.get("MUSTER_POSTGRES_FAILOVERS",
                               100 if LEVEL in ("full", "soak") else 5))
# In one database: it grows all the while, and each standby begins with a copy of it.
FAILOVERS_EACH = 10
CRASHES = 60 if LEVEL in ("full", "soak") else 2


def start(folder, running, luck, nodes=2):
    database = running.create_database()
    registry = Registry(folder / "registry", running.url(database), luck, binary())
    for number in range(nodes):
        registry.start_node(number)
    return registry, lambda sql: running.primary.rows(sql, database)


@pytest.mark.parametrize("count", parts(FAILOVERS, FAILOVERS_EACH))
def test_failovers_under_load(tmp_path, luck, note, count):
    """The clients of the database find the new primary by its address list."""
    with cluster.Cluster(replicated=True) as running:
        running.add_standby()
        registry, rows = start(tmp_path, running, luck)
        with registry:
            campaign = Campaign(registry, "f", luck.random(), sizes=(80, 19, 1))
            for _ in range(count):
                campaign.until(luck.randint(5, 40))
                time.sleep(luck.uniform(0, 0.2))
                dead = running.fail_over()
                time.sleep(luck.uniform(0, 1))
                running.add_standby(port=dead.port)
            campaign.until(20)
            campaign.stop()
            visible = registry.finish_check(rows)
    note(f"failovers: {count}; {visible} customers, {campaign.again()} requests sent again")


@pytest.mark.parametrize("kind", ["killed", "immediate", "fast", "backend"])
def test_the_server_goes_and_comes_back(tmp_path, luck, note, kind):
    """A database without a standby, killed, ended with its sessions, or thrown back by the death of a session."""
    with cluster.Cluster(replicated=True) as running:
        registry, rows = start(tmp_path, running, luck)
        with registry:
            campaign = Campaign(registry, kind, luck.random())
            for _ in range(CRASHES // 4 if kind != "killed" else CRASHES):
                campaign.until(luck.randint(5, 40))
                end(running.primary, kind)
                time.sleep(luck.uniform(0, 1.0))
                if kind != "backend":
                    running.primary.start()
            campaign.until(20)
            campaign.stop()
            visible = registry.finish_check(rows)
    note(f"database {kind}: {visible} customers, {campaign.again()} requests sent again")


def end(node, kind):
    if kind == "killed":
        node.kill()
    elif kind == "backend":
        cluster.wait_until(node.kill_backends, "there is a session to kill")
    else:
        node.stop(signal.SIGQUIT if kind == "immediate" else signal.SIGINT)


def test_nodes_are_killed_under_load(tmp_path, luck, note):
    """Two nodes, of which one at a time dies: the other goes on, and takes over what the dead one had begun."""
    running = cluster.shared()
    registry, rows = start(tmp_path, running, luck)
    with registry:
        campaign = Campaign(registry, "k", luck.random(), nodes_may_die=True, sizes=(70, 20, 10))
        for number in range(CRASHES):
            campaign.until(luck.randint(5, 40))
            victim = number % 2
            server = registry.server if victim == 0 else registry.others[victim]
            server.kill()
            time.sleep(luck.uniform(0, 0.5))
            registry.start_node(victim)
        campaign.until(20)
        campaign.stop()
        visible = registry.finish_check(rows)
    note(f"nodes killed: {CRASHES}; {visible} customers, {campaign.again()} requests sent again")


def test_reads_and_health_while_the_database_is_away(tmp_path, luck):
    """No node ends: each says that it is not ready, and is ready again by itself."""
    with cluster.Cluster(replicated=True) as running:
        registry, rows = start(tmp_path, running, luck, nodes=1)
        with registry:
            Campaign(registry, "before", luck.random(), batches=5).join()
            assert ready(registry) == 200
            running.primary.kill()
            cluster.wait_until(lambda: ready(registry) == 503, "the node says that it is not ready")
            assert registry.server.process.poll() is None
            running.primary.start()
            cluster.wait_until(lambda: ready(registry) == 200, "the node is ready again")
            Campaign(registry, "behind", luck.random(), batches=5).join()
            registry.finish_check(rows)


def ready(registry):
    import http.client
    connection = http.client.HTTPConnection(registry.server.host, registry.server.port, timeout=60)
    try:
        connection.request("GET", "/readyz")
        response = connection.getresponse()
        response.read()
        return response.status
    finally:
        connection.close()
