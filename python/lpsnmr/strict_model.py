"""Base of all settings that a user may write: unknown keys are refused, complaints take one line."""

from collections.abc import Sequence
from typing import Any, TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError
from pydantic.fields import FieldInfo

from lpsnmr.errors import InputError

__all__ = ["StrictModel", "complaints"]

Model = TypeVar("Model", bound="StrictModel")


class StrictModel(BaseModel):
    """Base of all configuration sections: unknown keys are refused, values are frozen."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)

    @classmethod
    def checked(cls: type[Model], **values: Any) -> Model:
        """Return the settings; complain in one line.

        Raises
        ------
        InputError
            For an unknown key or a value that does not fit; names the key, what was expected and got.
        """
        try:
            return cls(**values)
        except ValidationError as error:
            raise InputError(complaints(error, cls)) from None


def complaints(error: ValidationError, model: type[BaseModel]) -> str:
    """Return every problem as ``key: what was expected, got what (what the key means)``, in one line."""
    return "; ".join(_complaint(item, model) for item in error.errors())


def _complaint(item: Any, model: type[BaseModel]) -> str:
    location = [str(part) for part in item["loc"]]
    key = ".".join(location)
    if item["type"] == "extra_forbidden":
        return f"unknown key {key}; known: {', '.join(_fields(model, location[:-1]))}"
    message = item["msg"].removeprefix("Value error, ").replace("Input should be", "expected")
    field = _field(model, location)
    meaning = "" if field is None or not field.description else f" ({field.description})"
    return f"{key}: {message}, got {item['input']!r}{meaning}"


def _fields(model: type[BaseModel], location: Sequence[str]) -> dict[str, FieldInfo]:
    """Return the keys of the section at a place; those of the whole for the empty one."""
    fields = dict(model.model_fields)
    for part in location:
        fields = dict(getattr(fields[part].annotation, "model_fields", {})) if part in fields else {}
    return fields


def _field(model: type[BaseModel], location: Sequence[str]) -> FieldInfo | None:
    """Return the key at a place, without the number of an entry in a list."""
    for end in range(len(location), 0, -1):
        found = _fields(model, location[: end - 1]).get(location[end - 1])
        if found is not None:
            return found
    return None
