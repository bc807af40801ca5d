"""Reads the functions' SQL, in the few shapes that it has, and does the same to tables in memory.

A statement in another shape is refused, so that a changed one can't be simulated wrongly; the contract tests
(tests/integration/test_database_contract*.py) compare what these do with what PostgreSQL does.
Longer than 200 lines: every shape of the functions' SQL is read here.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from functools import cache
from typing import Any, Final

from tests.simulation.tables import Asignaciones, Conductores, Esperas, Journal, Row, Table, refusal

Tables = Mapping[str, Table]
Parameters = Mapping[str, Any]


class Rows(list[tuple[Any, ...]]):
    """The rows that a statement returns, as far as SQLAlchemy's result is used."""

    def scalars(self) -> list[Any]:
        return [row[0] for row in self]

    def scalar(self) -> Any:
        return self[0][0] if self else None


Action = Callable[[Tables, Parameters, Journal], Rows]
"""Does a statement: tables, parameters, what undoes it."""
_NOTHING: Final = Rows()


@cache
def action(sql: str) -> Action:
    """What the statement does. Raises ValueError if its shape is not known."""
    text = " ".join(sql.split())
    for shape, compile_shape in _SHAPES.items():
        if found := re.fullmatch(shape, text):
            return compile_shape(*found.groups())
    raise ValueError(f"the simulator can't read this statement; teach it in {__name__}: {text}")


def _select(columns: str, table: str, column: str) -> Action:
    names = columns.split(", ")

    def run(tables: Tables, parameters: Parameters, _: Journal) -> Rows:
        rows, ids = tables[table].rows, parameters["ids"]
        if len(tables[table].key) == 1:
            found = [rows[id_] for id_ in sorted(ids) if id_ in rows]
        else:
            found = [rows[key] for key in sorted(rows) if rows[key][column] in ids]
        return Rows([tuple([row[name] for name in names]) for row in found])

    return run


def _select_receipts() -> Action:
    def run(tables: Tables, parameters: Parameters, _: Journal) -> Rows:
        rows, function = tables["recibos"].rows, parameters["funcion"]
        found = [(id_, rows.get((function, id_))) for id_ in parameters["ids"]]
        return Rows([(id_, row["salidas"]) for id_, row in found if row is not None])

    return run


def _select_free() -> Action:
    def run(tables: Tables, parameters: Parameters, _: Journal) -> Rows:
        conductores = tables["conductores"]
        assert isinstance(conductores, Conductores)
        free = [conductores.rows[id_] for _, id_ in conductores.free[: parameters["count"]]]
        return Rows([(row["id_conductor"], row["nombre"], row["version"]) for row in free])

    return run


def _insert(table: str, columns: str, arrays: str, conflict: str | None) -> Action:
    """`conflict`: what follows `on conflict`, None if there is nothing."""
    names, values = columns.split(", "), re.findall(r"cast\(:(\w+) as|(:funcion), \*", arrays)
    parameter_names = [array or scalar[1:] for array, scalar in values]
    replaced = re.findall(r"(\w+) = excluded\.\w+", conflict or "")
    by_version = " where excluded.version > " in (conflict or "")

    def run(tables: Tables, parameters: Parameters, journal: Journal) -> Rows:
        target = tables[table]
        for key, row in _rows(target, names, [parameters[name] for name in parameter_names], bool(replaced)):
            before = target.rows.get(key)
            if before is None:
                target.write(key, target.defaults | row, journal)
            elif conflict is None:
                raise refusal("23505", f"{table}_pkey")
            elif replaced and not (by_version and row["version"] <= before["version"]):
                target.write(key, before | {name: row[name] for name in replaced}, journal)
        return _NOTHING

    return run


def _rows(target: Table, names: Sequence[str], columns: list[Any], is_update: bool) -> list[tuple[Any, Row]]:
    """The rows to be inserted and their keys, ascending. A column of one text is the same for all rows."""
    count = max(len(column) for column in columns if isinstance(column, list))
    arrays = [column if isinstance(column, list) else [column] * count for column in columns]
    rows = [dict(zip(names, values, strict=True)) for values in zip(*arrays, strict=True)]
    keys = target.key
    if len(keys) == 1:
        keyed = [(row[keys[0]], row) for row in rows]
    else:
        keyed = [(tuple([row[key] for key in keys]), row) for row in rows]
    if is_update and len({key for key, _ in keyed}) < count:
        raise refusal("21000", "ON CONFLICT DO UPDATE command cannot affect row a second time")
    return sorted(keyed, key=lambda item: item[0])


def _insert_log() -> Action:
    def run(tables: Tables, parameters: Parameters, journal: Journal) -> Rows:
        sagalog = tables["sagalog"]
        for id_, id_orden, evento in zip(
            parameters["id_mensaje"], parameters["id_orden"], parameters["evento"], strict=True
        ):
            if id_ not in sagalog.rows:
                sagalog.write(id_, {"id_orden": id_orden, "evento": evento}, journal)
        return _NOTHING

    return run


def _take() -> Action:
    def run(tables: Tables, parameters: Parameters, journal: Journal) -> Rows:
        conductores = tables["conductores"]
        for id_ in sorted(id_ for id_ in parameters["ids"] if id_ in conductores.rows):
            row = conductores.rows[id_]
            taken = {"libre": False, "desde": parameters["moment"], "version": row["version"] + 1}
            conductores.write(id_, row | taken, journal)
        return _NOTHING

    return run


def _free(columns: str) -> Action:
    names = columns.split(", ")

    def run(tables: Tables, parameters: Parameters, journal: Journal) -> Rows:
        conductores = tables["conductores"]
        ids = sorted(id_ for id_ in set(parameters["ids"]) if id_ in conductores.rows)
        for id_ in ids:
            row = conductores.rows[id_]
            desde = row["desde"] if row["retirado"] else parameters["moment"]
            freed = {"libre": not row["retirado"], "desde": desde, "version": row["version"] + 1}
            conductores.write(id_, row | freed, journal)
        return Rows([tuple([conductores.rows[id_][name] for name in names]) for id_ in ids])

    return run


def _select_at_hand() -> Action:
    def run(tables: Tables, parameters: Parameters, _: Journal) -> Rows:
        asignaciones = tables["asignaciones"]
        assert isinstance(asignaciones, Asignaciones)
        found = [(id_, asignaciones.holders.get(id_)) for id_ in parameters["ids"]]
        return Rows([(id_, id_orden) for id_, id_orden in found if id_orden is not None])

    return run


def _insert_plazos() -> Action:
    def run(tables: Tables, parameters: Parameters, journal: Journal) -> Rows:
        plazos = tables["plazos"]
        for suspendidos in parameters["suspendidos"]:
            plazos.write(len(plazos.rows) + 1, {"suspendidos": suspendidos}, journal)
        return _NOTHING

    return run


def _select_plazos() -> Action:
    def run(tables: Tables, _: Parameters, __: Journal) -> Rows:
        rows = tables["plazos"].rows
        return Rows([(rows[len(rows)]["suspendidos"],)] if rows else [])

    return run


def _lock() -> Action:
    """Transactions come one after another anyway."""
    return lambda _, __, ___: _NOTHING


def _insert_esperas(columns: str) -> Action:
    names = columns.split(", ")

    def run(tables: Tables, parameters: Parameters, journal: Journal) -> Rows:
        esperas = tables["esperas"]
        assert isinstance(esperas, Esperas)
        for values in zip(*(parameters[name] for name in names), strict=True):
            row = dict(zip(names, values, strict=True))
            esperas.write(row["id_orden"], row | {"turno": esperas.next_turn()}, journal)
        return _NOTHING

    return run


def _select_esperas(columns: str, over: str | None) -> Action:
    names = columns.split(", ")

    def run(tables: Tables, parameters: Parameters, _: Journal) -> Rows:
        waiting = sorted(tables["esperas"].rows.values(), key=lambda row: row["turno"])
        found = [row for row in waiting if over is None or row["hasta"] <= parameters["moment"]]
        return Rows([tuple([row[name] for name in names]) for row in found[: parameters["count"]]])

    return run


def _delete_esperas() -> Action:
    def run(tables: Tables, parameters: Parameters, journal: Journal) -> Rows:
        esperas = tables["esperas"]
        for id_ in sorted(set(parameters["ids"]) & esperas.rows.keys()):
            esperas.delete(id_, journal)
        return _NOTHING

    return run


_SHAPES: Final[dict[str, Callable[..., Action]]] = {
    r"select ([\w, ]+) from (\w+) where (\w+) = any\(cast\(:ids as uuid\[\]\)\) order by \3 for update": _select,
    r"select id_mensaje, salidas from recibos where funcion = :funcion and id_mensaje = any\(.*\)": _select_receipts,
    r"select id_conductor, nombre, version from conductores where libre order by libre_desde, id_conductor "
    "limit :count for update": _select_free,
    r"select ([\w, ]+) from (\w+) where (\w+) = any\(cast\(:ids as uuid\[\]\)\) order by libre_desde, \3 "
    "for update": _select,
    r"select id_conductor, id_orden from asignaciones where id_conductor = any\(.*\) and estado = "
    "'asignada'": _select_at_hand,
    r"insert into (\w+) \(([\w, ]+)\) select (?:distinct on \(1\) )?((?:\*|:funcion, \*) from unnest\(.*?\)\)) "
    r"order by [12](?:, 2)?(?: on conflict (.*))?": _insert,
    r"insert into sagalog .*": _insert_log,
    r"update conductores set libre = false, desde = :moment, version = version \+ 1 where .*": _take,
    r"update conductores set libre = not retirado, .* returning ([\w, ]+)": _free,
    r"select pg_advisory_xact_lock\(.*\)": _lock,
    r"insert into esperas \(([\w, ]+)\) select \* from unnest\(.*\)": _insert_esperas,
    r"select ([\w, ]+) from esperas (where hasta <= :moment )?order by turno limit :count": _select_esperas,
    r"delete from esperas where id_orden = any\(cast\(:ids as uuid\[\]\)\)": _delete_esperas,
    r"insert into plazos \(suspendidos, .*": _insert_plazos,
    r"select suspendidos from plazos order by numero desc limit 1": _select_plazos,
}
