"""What Dagster is told of a component's attributes: their schema, and nothing that would judge them before we do."""

from collections.abc import Mapping
from copy import deepcopy
from typing import Any

from pydantic import BaseModel, GetJsonSchemaHandler, RootModel
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema

from ml_assets.components.schema import MODELS, attributes_schema


class Attributes(RootModel[Any]):
    """Attributes as they are written down.

    Dagster validates by a component's model before it calls `load`, and prints Pydantic's errors in its own way. So
    this model takes everything, `load` judges, and the schema is the one by which `dg check yaml` judges, too.
    """


def attributes_model(component: str) -> type[BaseModel]:
    """A model of a component's attributes that carries their schema."""
    spec = MODELS[component]

    class Described(Attributes):
        @classmethod
        def model_json_schema(cls, *_: Any, **__: Any) -> dict[str, Any]:
            return deepcopy(attributes_schema(component))

        @classmethod
        def __get_pydantic_json_schema__(cls, _: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
            # Inside the schema of another model, e.g. of all components of an environment.
            return handler(spec.__pydantic_core_schema__)

    Described.__doc__ = spec.__doc__
    Described.__name__ = Described.__qualname__ = f"{component}Attributes"
    return Described


def raw(attributes: Any) -> Mapping[str, Any]:
    """What Dagster read, once it went through the model; nothing where there was nothing."""
    return attributes.root if isinstance(attributes, Attributes) else {}
