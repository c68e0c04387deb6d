"""The search for leaks must find them: what it is for is planted and met."""

import pytest

from muster import private

PLANTED = [("log", "upper"), ("log", "lower"),
           pytest.param("data/store/LOG", "lower", marks=pytest.mark.folder("it is a file of the store"))]


@pytest.mark.parametrize("place, case", PLANTED)
def test_a_marked_value_is_found(own_server, place, case):
    path = own_server.folder / place
    before = path.read_bytes()
    value = private("Jane ")
    path.write_bytes(before + b"x" + (value.upper() if case == "upper" else value.lower()).encode())
    assert own_server.leaks() != []
    path.write_bytes(before)
    assert own_server.leaks() == []


def test_a_credential_is_found_outside_its_file(own_server):
    path = own_server.folder / "log"
    before = path.read_bytes()
    path.write_bytes(before + own_server.credentials["apiKey"].encode())
    assert own_server.leaks() == [f"{own_server.credentials['apiKey']} in log"]
    path.write_bytes(before)
