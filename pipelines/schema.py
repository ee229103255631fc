"""The JSON schema of a config, which gives completion and help on every key in editors.

In: the settings as their classes say them. Out: the schema, each key with the words that stand below it in the source. They are read here
and not whenever a class is made: that would cost every command a third of a second.
"""

from __future__ import annotations

import ast
import inspect
import textwrap
from itertools import pairwise
from typing import Any

from pydantic.json_schema import GenerateJsonSchema, JsonSchemaValue
from pydantic_core import core_schema

from demand.spec import Spec
from pipelines.config import RunConfig

__all__ = ["schema"]


class _Described(GenerateJsonSchema):
    """Gives each key of a model the string below it as its description."""

    def model_schema(self, schema: core_schema.ModelSchema) -> JsonSchemaValue:
        """Add what the source says of each key to what pydantic says."""
        made, model = super().model_schema(schema), schema["cls"]
        for one in reversed(model.__mro__):
            for name, words in (_said(one) if issubclass(one, Spec) else {}).items():
                key = model.model_fields[name].alias or name if name in model.model_fields else ""
                if key in made.get("properties", {}):
                    made["properties"][key]["description"] = words
        return made


def _said(model: type) -> dict[str, str]:
    """Give, by name, the strings that stand below the attributes of a class."""
    tree = ast.parse(textwrap.dedent(inspect.getsource(model)))
    lines = [node for one in tree.body if isinstance(one, ast.ClassDef) for node in one.body]
    pairs = pairwise(lines)
    return {
        one.target.id: inspect.cleandoc(after.value.value)
        for one, after in pairs
        if isinstance(one, ast.AnnAssign)
        and isinstance(one.target, ast.Name)
        and isinstance(after, ast.Expr)
        and isinstance(after.value, ast.Constant)
        and isinstance(after.value.value, str)
    }


def schema() -> dict[str, Any]:
    """Give the JSON schema of a config, made from the rooms' own settings."""
    made = RunConfig.model_json_schema(schema_generator=_Described)
    parts = made["$defs"]
    parts["Scenario"]["required"] = [k for k in parts["Scenario"].get("required", []) if k != "name"]
    named = {"type": "string", "description": "The name of an entry of the ledger (`assumptions`)."}
    parts["Number"], parts["Assumption"] = parts["Assumption"], {"anyOf": [{"$ref": "#/$defs/Number"}, named]}
    shelf = {"type": "string", "description": "library:NAME, a scenario that travels with the package."}
    made["properties"]["scenarios"]["additionalProperties"] = {"anyOf": [{"$ref": "#/$defs/Scenario"}, shelf]}
    of_ledger = made["properties"]["assumptions"]
    file = {"type": "string", "description": "A YAML file of such entries, beside the config."}
    made["properties"]["assumptions"] = {
        "description": of_ledger["description"],
        "anyOf": [{"type": "object", "additionalProperties": {"$ref": "#/$defs/Number"}}, file],
    }
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "A config of demand",
        **{k: v for k, v in made.items() if k != "title"},
    }
