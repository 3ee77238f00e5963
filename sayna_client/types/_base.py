"""What the models have in common."""

import warnings
from collections.abc import Mapping
from typing import cast

from pydantic import BaseModel, ConfigDict, model_validator


class Model(BaseModel):
    """A model whose errors never quote the input: it may hold keys or what people say."""

    model_config = ConfigDict(hide_input_in_errors=True, defer_build=True)


class Strict(Model):
    """A model that refuses unknown fields."""

    model_config = ConfigDict(extra="forbid")


class Settings(Model):
    """A model that ignores unknown fields, as 0.0.18 did, but warns: most are typing errors."""

    @model_validator(mode="before")
    @classmethod
    def _name_unknown_fields(cls, values: object) -> object:
        if isinstance(values, Mapping):
            given = cast("Mapping[object, object]", values)
            unknown = sorted(str(key) for key in given if key not in cls.model_fields)
            if unknown:
                warnings.warn(
                    f"{cls.__name__} has no field {', '.join(unknown)};"
                    f" it has {', '.join(cls.model_fields)}",
                    UserWarning,
                    stacklevel=3,
                )
        return values  # pyright: ignore[reportUnknownVariableType] - narrowed from object


class Received(Model):
    """A model of what the server sends: fields of a newer server are kept as attributes."""

    model_config = ConfigDict(extra="allow")
