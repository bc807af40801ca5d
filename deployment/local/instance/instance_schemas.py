"""A schema type as the function's configuration names it → an object of pulsar.schema."""

import inspect
import logging
from typing import Any

import pulsar

from instance_package import load

LOG = logging.getLogger()
# The default. Only with this very object are payloads given to the SerDe.
BYTES = pulsar.schema.BytesSchema()


def build(folder: str, schema_type: str, record_name: str, properties: Any) -> Any:
    """Built in: string, json, avro; anything else is the name of a class of the function's package."""
    if not schema_type:
        return BYTES
    kind = schema_type.lower()
    if kind == "string":
        return pulsar.schema.StringSchema()
    record = _record_class(folder, record_name)
    if kind == "json":
        return pulsar.schema.JsonSchema(record)
    if kind == "avro":
        return pulsar.schema.AvroSchema(record)
    return _custom(load(folder, schema_type), record, properties)


def _custom(schema: Any, record: Any, properties: Any) -> Any:
    """Called with what its constructor takes: (), (record class or else properties), or (both)."""
    count = len(inspect.signature(schema.__init__).parameters)  # self included
    if count == 1:
        return schema()
    if count == 2:
        try:
            return schema(record)
        except TypeError:
            return schema(properties)
    return schema(record, properties)


def _record_class(folder: str, name: str) -> Any:
    if not name:
        return None
    try:
        return load(folder, name)
    except Exception:
        LOG.info("Failed to import record class %s from path %s", name, folder, exc_info=True)
        return None
