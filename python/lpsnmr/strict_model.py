"""Base of all settings that a user may write: unknown keys are refused, complaints take one line."""

import dataclasses
import functools
from collections.abc import Mapping, Sequence
from typing import Annotated, Any, TypeVar

import pydantic.dataclasses
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError, ValidationInfo
from pydantic.fields import FieldInfo
from typing_extensions import dataclass_transform

from lpsnmr.errors import InputError, did_you_mean

__all__ = [
    "AtLeastOne",
    "Bootstraps",
    "Count",
    "Positive",
    "Share",
    "StrictModel",
    "checked_dataclass",
    "complaints",
]

Model = TypeVar("Model", bound="StrictModel")
T = TypeVar("T")
Positive = Annotated[float, Field(gt=0)]
AtLeastOne = Annotated[int, Field(ge=1)]
Count = Annotated[int, Field(ge=0)]
Bootstraps = Annotated[int, Field(ge=50)]


def _between_0_and_1(value: float, info: ValidationInfo) -> float:
    if not 0 < value < 1:
        raise ValueError(f"{info.field_name} must lie between 0 and 1")
    return value


Share = Annotated[float, AfterValidator(_between_0_and_1)]


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


@dataclass_transform(frozen_default=True, field_specifiers=(Field, dataclasses.field))
def checked_dataclass(cls: type[T]) -> type[T]:
    """Make a frozen dataclass whose values are checked by their types when it is made (pydantic).

    What one field may be is said by its type (``Positive``, ``Literal``, ``Annotated[…, Field(…)]``), what
    several may be together by ``__post_init__``. Making one raises ``InputError`` in one line that names the
    field, what was expected and got; an InputError of ``__post_init__`` is passed on as it is.

    Examples
    --------
    >>> @checked_dataclass
    ... class Oven:
    ...     temperature_k: Positive = 300.0
    >>> Oven(temperature_k=-1)
    Traceback (most recent call last):
    ...
    lpsnmr.errors.InputError: temperature_k: expected a positive number, got -1
    """
    config = ConfigDict(allow_inf_nan=False, extra="forbid", arbitrary_types_allowed=True)
    checked: Any = pydantic.dataclasses.dataclass(cls, frozen=True, config=config)
    make = checked.__init__

    @functools.wraps(make)
    def checked_init(self: Any, *args: Any, **values: Any) -> None:
        try:
            make(self, *args, **values)
        except ValidationError as error:
            raise InputError("; ".join(_plainly(item, checked) for item in error.errors())) from None

    checked.__init__ = checked_init
    result: type[T] = checked
    return result


def _plainly(item: Any, model: type[Any]) -> str:
    """Return a complaint in the words of the library; the title of a field stands for its name."""
    location = tuple(str(part) for part in item["loc"])
    if location and location[0].isdigit():  # an argument without its name
        location = (list(_own_fields(model))[int(location[0])], *location[1:])
        item = {**item, "loc": location}
    field = _field(model, location)
    bound = item.get("ctx", {})
    if item["type"] == "greater_than" and bound["gt"] == 0:
        expected = "expected a positive number"
    elif item["type"] == "greater_than_equal":
        expected = "expected 0 or more" if bound["ge"] == 0 else f"expected at least {bound['ge']:g}"
    else:
        return _complaint(item, model)
    name = field.title if field is not None and field.title else ".".join(location)
    return f"{name}: {expected}, got {item['input']!r}"


def complaints(error: ValidationError, model: type[Any]) -> str:
    """Return every problem as ``key: what was expected, got what (what the key means)``, in one line."""
    return "; ".join(_complaint(item, model) for item in error.errors())


def _complaint(item: Any, model: type[Any]) -> str:
    location = [str(part) for part in item["loc"]]
    key = ".".join(location)
    if not location and "error" in item.get("ctx", {}):
        return str(item["ctx"]["error"])  # of several fields together
    if item["type"] in ("extra_forbidden", "unexpected_keyword_argument"):
        known = _fields(model, location[:-1])
        guess = did_you_mean(location[-1], known) or _elsewhere(location[-1], model)
        return f"unknown key {key}; known: {', '.join(known)}{guess and '.' + guess}"
    message = item["msg"].removeprefix("Value error, ").partition(", got ")[0]
    message = message.replace("Input should be", "expected")
    if location and message.startswith(f"{location[-1]} "):
        return f"{message}, got {item['input']!r}"
    field = _field(model, location)
    meaning = "" if field is None or not field.description else f" ({field.description})"
    return f"{key}: {message}, got {item['input']!r}{meaning}"


def _elsewhere(key: str, model: type[Any]) -> str:
    """Return a question when another section has the key."""
    for section, field in _own_fields(model).items():
        if key in _own_fields(field.annotation):
            return f" Did you mean {section}.{key}?"
    return ""


def _own_fields(model: Any) -> Mapping[str, FieldInfo]:
    """Return the fields of a model or of a checked dataclass; none of anything else."""
    fields: Mapping[str, FieldInfo] = getattr(model, "__pydantic_fields__", {})
    return fields


def _fields(model: type[Any], location: Sequence[str]) -> dict[str, FieldInfo]:
    """Return the keys of the section at a place; those of the whole for the empty one."""
    fields = dict(_own_fields(model))
    for part in location:
        fields = dict(_own_fields(fields[part].annotation)) if part in fields else {}
    return fields


def _field(model: type[Any], location: Sequence[str]) -> FieldInfo | None:
    """Return the key at a place, without the number of an entry in a list."""
    for end in range(len(location), 0, -1):
        found = _fields(model, location[: end - 1]).get(location[end - 1])
        if found is not None:
            return found
    return None
