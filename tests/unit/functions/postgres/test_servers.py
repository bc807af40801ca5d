"""DB_HOSTNAME and DB_PORT: one server or several, and what is wrong with them."""

from typing import Any

import pytest
import sqlalchemy as sa

from functions.postgres.servers import Address, InvalidServers, addresses, hostnames, servers_of, text, url

THREE = (("10.0.0.31", 5432), ("db.example", 5433), ("::1", 5432))


@pytest.mark.parametrize(
    ("config", "expected"),
    [
        ({}, [("127.0.0.1", 5432)]),
        ({"DB_HOSTNAME": "db.example", "DB_PORT": "6000"}, [("db.example", 6000)]),
        ({"DB_HOSTNAME": "db.example", "DB_PORT": 6000.0}, [("db.example", 6000)]),  # numbers of userConfig
        ({"DB_HOSTNAME": "::1", "DB_PORT": 6000}, [("::1", 6000)]),
        ({"DB_HOSTNAME": "a,b"}, [("a", 5432), ("b", 5432)]),
        ({"DB_HOSTNAME": "a, b", "DB_PORT": "6000"}, [("a", 6000), ("b", 6000)]),
        ({"DB_HOSTNAME": "a,b,fd00::1", "DB_PORT": "1,2, 65535"}, [("a", 1), ("b", 2), ("fd00::1", 65535)]),
        ({"DB_HOSTNAME": "a,a", "DB_PORT": "1,2"}, [("a", 1), ("a", 2)]),
    ],
)
def test_servers_have_one_port_or_each_its_own(config: dict[str, Any], expected: list[Address]) -> None:
    assert list(addresses(config)) == expected


@pytest.mark.parametrize("value", ["", ",", "a,,b", "a,b,", "a b", "a:5432", "a,b:5432", "[::1]", "a/b", "user@a"])
@pytest.mark.parametrize("variable", ["DB_HOSTNAME", "DB_READ_HOSTNAME"])
def test_what_is_no_name_is_refused(variable: str, value: str) -> None:
    with pytest.raises(InvalidServers) as raised:
        addresses({"DB_HOSTNAME": "a", variable: value}, variable)
    assert str(raised.value).startswith(f"{variable} is {value!r}: it must be a name or an address, or several")


@pytest.mark.parametrize("value", ["", "0", "65536", "x", "1,x", "1,,2", "1.5", "-1", "٣"])
def test_what_is_no_port_is_refused(value: str) -> None:
    with pytest.raises(InvalidServers) as raised:
        addresses({"DB_HOSTNAME": "a,b", "DB_PORT": value})
    assert str(raised.value).startswith(f"DB_PORT is {value!r}: it must be a whole number from 1 to 65535, or as many")


@pytest.mark.parametrize(("names", "ports"), [("a", "1,2"), ("a,b,c", "1,2")])
def test_another_number_of_ports_is_refused(names: str, ports: str) -> None:
    with pytest.raises(
        InvalidServers, match=rf"DB_PORT is '1,2': these are 2 ports, and .* {names.count(',') + 1} serv"
    ):
        addresses({"DB_HOSTNAME": names, "DB_PORT": ports})


def test_an_address_says_which_servers_there_are() -> None:
    one = url(THREE[1:2], "ordenes", "secret", "saga")
    assert one.render_as_string(hide_password=False) == "postgresql+pg8000://ordenes:secret@db.example:5433/saga"
    assert servers_of(one).in_order == THREE[1:2]
    assert not servers_of(one).are_several
    assert servers_of(sa.URL.create("postgresql+pg8000", host="db.example")).in_order == (("db.example", 5432),)
    several = url(THREE, "ordenes", "secret", "saga")
    assert servers_of(several).in_order == THREE
    assert servers_of(several).are_several
    assert "secret" not in str(several)


def test_people_and_tls_are_told_of_all() -> None:
    assert text(THREE) == "10.0.0.31:5432, db.example:5433, ::1:5432"
    assert hostnames([*THREE, ("::1", 1)]) == ("10.0.0.31", "db.example", "::1")


def test_the_one_that_worked_last_is_tried_first_by_whoever_has_the_same_servers() -> None:
    several = [(f"{name}.remembered.example", 5432) for name in "abc"]
    servers_of(url(several, "ordenes", "x", "ordenes")).remember(several[1])
    assert servers_of(url(several, "bff", "y", "saga")).in_order == (several[1], several[0], several[2])
    assert servers_of(url(several[::-1], "bff", "y", "saga")).in_order == tuple(several[::-1])
