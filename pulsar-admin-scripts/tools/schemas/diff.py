"""What has changed between two versions of a schema that must not change, field by field, and what to do instead."""

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

Definition = Mapping[str, Any]
Change = tuple[str, str]
"""What has changed, and what to do instead: two texts for people."""
_MISSING: Final = object()


def differences(current: Definition, before: Definition) -> Iterator[Change]:
    """What has changed that must not change. `before`: the other version, older or not."""
    if current["name"] != before["name"] or current.get("namespace") != before.get("namespace"):
        yield f"its name was {_name(before)} and is {_name(current)}", "restore the name: the topic is the same"
    yield from _fields(current["fields"], before["fields"], "")


def _fields(current: Sequence[Any], before: Sequence[Any], path: str) -> Iterator[Change]:
    new_fields, old_fields = ({field["name"]: field for field in fields} for fields in (current, before))
    added = {name: field for name, field in new_fields.items() if name not in old_fields}
    for name, old in old_fields.items():
        if name in new_fields:
            yield from _field(new_fields[name], old, path + name)
        elif "default" not in old:
            new_name = next((other for other, field in added.items() if field["type"] == old["type"]), None)
            if new_name is None:
                yield f"{path}{name} is gone, and it has no default", f"restore {name}"
            else:
                del added[new_name]
                finding = f"{path}{name} was renamed to {new_name}, it seems"
                remedy = f"keep {name}; where both are needed, add {new_name} beside it: {_optional(old['type'])}"
                yield finding, remedy
    for name, new in added.items():
        if "default" not in new:
            yield f"{path}{name} is new and has no default", f"make it optional: {_optional(new['type'])}"


def _field(new: Any, old: Any, path: str) -> Iterator[Change]:
    if _is_record(new["type"]) and _is_record(old["type"]):
        if new["type"]["name"] != old["type"]["name"]:
            yield f"{path}'s record was {old['type']['name']} and is {new['type']['name']}", "restore its name"
        yield from _fields(new["type"]["fields"], old["type"]["fields"], f"{path}.")
    elif new["type"] != old["type"]:
        finding = f"{path}'s type was {json.dumps(old['type'])} and is {json.dumps(new['type'])}"
        yield finding, f"keep it, and add a field with another name for the new type, optional, beside {path}"
    old_default, new_default = (field.get("default", _MISSING) for field in (old, new))
    if old_default is _MISSING or old_default == new_default:
        return
    if new_default is _MISSING:
        finding = f"{path}'s default, {json.dumps(old_default)}, is gone"
        yield finding, "restore it: messages without the field need it"
    else:
        finding = f"{path}'s default was {json.dumps(old_default)} and is {json.dumps(new_default)}"
        yield finding, "restore it: messages without the field would change their meaning"


def _optional(avro_type: Any) -> str:
    return f'"type": ["null", {json.dumps(avro_type)}], "default": null'


def _is_record(avro_type: Any) -> bool:
    return isinstance(avro_type, dict) and avro_type["type"] == "record"


def _name(definition: Definition) -> str:
    return f"{definition.get('namespace')}.{definition['name']}"
