"""JSON files beside weights, field by field: each of the kind that is wanted, or an error that names file and field."""

from __future__ import annotations

import json
import reprlib
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bench.errors import BenchError

LARGEST = 1e6
"""No mean or deviation of a colour comes near it, which infinity and NaN do not stay below."""


@dataclass(frozen=True)
class Fields:
    """The fields of one object. Those that are absent or `null` are read as None."""

    where: str
    """Stands before a field's name in errors: the file, and the path of the object in it."""
    values: Mapping[str, Any]

    def inside(self, name: str) -> Fields:
        """The object in this field; one without fields where there is none."""
        value = self.values.get(name)
        if value is not None and not isinstance(value, dict):
            raise self.wrong(name, "an object {...}")
        return Fields(f"{self.where}{name}.", value or {})

    def flag(self, name: str) -> bool | None:
        value = self.values.get(name)
        if value is not None and not isinstance(value, bool):
            raise self.wrong(name, "true or false")
        return value

    def count(self, name: str) -> int | None:
        """A whole number from 1."""
        value = self.values.get(name)
        if value is not None and (type(value) is not int or value < 1):
            raise self.wrong(name, "a whole number, 1 or more")
        return value

    def choice(self, name: str, allowed: Collection[str]) -> str | None:
        value = self.values.get(name)
        if value is not None and (not isinstance(value, str) or value not in allowed):
            raise self.wrong(name, f"one of {', '.join(sorted(allowed))}")
        return value

    def triple(self, name: str, *, positive: bool = False) -> tuple[float, float, float] | None:
        """Three finite numbers, one a colour."""
        value = self.values.get(name)
        if value is None:
            return None
        if not isinstance(value, (list, tuple)) or len(value) != 3 or not all(_usable(one, positive) for one in value):
            raise self.wrong(name, f"three {'positive' if positive else 'finite'} numbers")
        red, green, blue = map(float, value)
        return red, green, blue

    def wrong(self, name: str, wanted: str) -> BenchError:
        """The error for a field that is of another kind."""
        given = reprlib.repr(self.values.get(name))
        return BenchError(f"{self.where}{name} is {given}; it must be {wanted}. Mend the file or fetch it again.")


def read_fields(path: Path) -> Fields:
    """The fields of a JSON file that holds one object. BenchError if it does not."""
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise BenchError(f"{path} is missing. Fetch it again.") from error
    except (OSError, ValueError) as error:
        raise BenchError(f"{path} cannot be read as JSON ({error}). Mend it or fetch it again.") from error
    except RecursionError as error:
        raise BenchError(f"{path} cannot be read: it is nested too deeply. Fetch it again.") from error
    if not isinstance(content, dict):
        raise BenchError(f"{path} is not a JSON object {{...}}. Mend it or fetch it again.")
    return Fields(f"{path}: ", content)


def _usable(number: Any, positive: bool) -> bool:
    return type(number) in (int, float) and abs(number) < LARGEST and (number > 0 or not positive)
