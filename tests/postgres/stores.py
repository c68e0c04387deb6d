"""Where a server under test keeps its customers. TEST_STORE=postgresql gives each data folder a database of its own
in one cluster of the session, so that every suite runs on that store; else the store is in the data folder.

A test that makes its own arrangement (two nodes on one database, a proxy in between) names it by use().
"""

import os
import pathlib

import pytest

import cluster

KIND = os.environ.get("TEST_STORE") or "folder"
if KIND not in ("folder", "postgresql"):
    raise RuntimeError(f"TEST_STORE is folder or postgresql, not {KIND}")
IS_POSTGRES = KIND == "postgresql"
_urls, _databases = {}, {}


def _name(data):
    return str(pathlib.Path(data).absolute())


def use(data, url):
    """The server over this data folder keeps its customers there."""
    _urls[_name(data)] = url


def url_of(data):
    """None: in the data folder."""
    name = _name(data)
    if IS_POSTGRES and name not in _urls:
        _databases[name] = cluster.shared().create_database()
        _urls[name] = cluster.shared().url(_databases[name])
    return _urls.get(name)


def arguments(data):
    """What serve and verify are told."""
    url = url_of(data)
    return [] if url is None else ["--store", url]


def copy(data, other):
    """The other data folder gets a database with the same rows. No server may have it open."""
    name = _name(data)
    if name in _databases:
        url_of(other)
        copied = _databases[_name(other)]
        cluster.shared().drop_database(copied)
        cluster.shared().primary.rows(f'CREATE DATABASE "{copied}" TEMPLATE "{_databases[name]}"')


def forget(data):
    """Nothing uses it any more."""
    name = _name(data)
    _urls.pop(name, None)
    if name in _databases:
        cluster.shared().drop_database(_databases.pop(name))


def files(data):
    """Where the database's rows and the log of its server are in the clear, if they are: files to be searched."""
    database = _databases.get(_name(data))
    return [] if database is None else cluster.shared().files_of(database)


# ---- for the suites' conftest.py ----


def declare(config):
    config.addinivalue_line("markers", "folder(reason): of the store in the data folder; not for TEST_STORE=postgresql")


def skip_marked(items):
    for item in items:
        if IS_POSTGRES and not cluster.installed():
            item.add_marker(pytest.mark.skip(reason=cluster.MISSING))
        mark = item.get_closest_marker("folder")
        if mark is not None and IS_POSTGRES:
            reason = mark.args[0] if mark.args else mark.kwargs["reason"]
            item.add_marker(pytest.mark.skip(reason=f"not on PostgreSQL: {reason}"))
