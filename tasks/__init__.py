"""The tasks. This folder is the registry: every `Task` value in a module here is a task, by its own name.

How to add one, here or in a folder of your own (`task.path=FOLDER`):

    from bench.task import Task
    from tasks.sources import from_folder
    from tasks.text import named

    PETS = Task(
        name="my_pets", family="mine", load=from_folder("photos"),     # photos/<split>/<class>/*.jpg
        classes=named(["cat", "dog"]), templates=("a photo of a {}.",),
        splits={"test": None}, licence="mine", reference="my camera",
    )

`bench-tasks new my_pets --from photos` writes this file into `user_folder()`, where it is found from then
on. A package offers tasks through an entry point in group `bench.tasks` that names a module, a Task, or a
list or dict of them. A plugin that cannot be loaded, or that takes a name which exists, is kept out and
reported by `broken()`; the others are not touched. A module that derives tasks from another's imports the
module, not the tasks: what stands in a module is its own.
"""

from __future__ import annotations

import fnmatch
import importlib
import importlib.util
import os
import pkgutil
import sys
import traceback
from collections.abc import Callable, Iterable, Iterator
from functools import cache, partial
from importlib.metadata import entry_points
from pathlib import Path
from types import ModuleType
from typing import NamedTuple, TypeVar

from bench.audit.shift import Shift
from bench.errors import FOREIGN, BenchError, unknown
from bench.task import Task
from tasks.languages import translated

GROUP = "bench.tasks"


class Registry(NamedTuple):
    """All tasks by name, and by origin the traceback of each plugin that could not be loaded."""

    tasks: dict[str, Task]
    broken: dict[str, str]
    origins: dict[str, str]
    """Where each task comes from, by its name: a module of ours, a package, or a file."""
    shifts: dict[str, Shift]
    """Natural shifts by name, `source->target`."""


def select(names: str | Iterable[str], *, path: str | Path | None = None, language: str = "en") -> list[Task]:
    """Tasks by name, glob (`emoji_*`), `family:general` or `tag:clip27`, each once, in the order asked for.

    In another `language` (for models with a multilingual text tower) a task is called `imagenet_zh`.

    Raises:
        BenchError: a name, glob, family or tag that fits no task (with the closest names), or no such
        translation.
    """
    registry = load(path)
    wanted = [one.strip() for one in names.split(",")] if isinstance(names, str) else list(names)
    found = {task.name: task for one in wanted for task in _matching(one, registry)}
    return [translated(task, language) for task in found.values()]


def shifts_of(names: str | Iterable[str], *, path: str | Path | None = None) -> list[Shift]:
    """Natural shifts, each once: of a source (`imagenet`), or by name or glob (`imagenet->imagenet_a`, `emoji_*->*`).

    Raises:
        BenchError: a name that fits no shift, with the closest names.
    """
    registry = load(path)
    wanted = [one.strip() for one in names.split(",")] if isinstance(names, str) else list(names)
    found: dict[str, Shift] = {}
    for one in wanted:
        fitting = [s for n, s in registry.shifts.items() if one == s.source.name or fnmatch.fnmatchcase(n, one)]
        if not fitting:
            sources = {shift.source.name for shift in registry.shifts.values()}
            raise unknown("shift", one, {*registry.shifts, *sources}, hint="Declare your own: see tasks/pairs.py.")
        found.update({shift.name: shift for shift in fitting})
    return list(found.values())


def names(*, path: str | Path | None = None) -> list[str]:
    """All names, sorted."""
    return sorted(load(path).tasks)


def broken(*, path: str | Path | None = None) -> dict[str, str]:
    """Plugins that could not be loaded: where each comes from -> its traceback."""
    return dict(load(path).broken)


def load(path: str | Path | None = None) -> Registry:
    """All tasks: this folder's, installed plugins', the user's own, and those of `path` (a folder or a file)."""
    return _load(None if path is None else Path(path).expanduser().resolve())


def forget() -> None:
    """Look at the folders again the next time: after a plugin was written."""
    _load.cache_clear()


def user_folder() -> Path:
    """Where `bench-tasks new` writes and whose tasks are always there: `$BENCH_TASKS`, else `~/.config/bench/tasks`."""
    return Path(os.environ.get("BENCH_TASKS") or "~/.config/bench/tasks").expanduser()


def found_in(thing: object) -> Iterator[Task]:
    """Tasks in a module, a mapping or a sequence, or the thing itself if it is one."""
    return _found(thing, Task)


Value = TypeVar("Value", Task, Shift)


def _found(thing: object, kind: type[Value]) -> Iterator[Value]:
    values: Iterable[object] = ()
    if isinstance(thing, kind):
        yield thing
    elif isinstance(thing, ModuleType):
        values = [value for name, value in vars(thing).items() if not name.startswith("__")]
    elif isinstance(thing, dict):
        values = thing.values()
    elif isinstance(thing, (list, tuple)):
        values = thing
    for value in values:
        if isinstance(value, (kind, dict, list, tuple)):
            yield from _found(value, kind)


@cache
def _load(path: Path | None) -> Registry:
    registry = Registry({}, {}, {}, {})
    for info in pkgutil.iter_modules(__path__):
        if not info.ispkg and not info.name.startswith("_"):
            _add(
                registry,
                f"tasks.{info.name}",
                partial(importlib.import_module, f"tasks.{info.name}"),
            )
    for point in entry_points(group=GROUP):
        origin = f"{point.dist.name if point.dist else 'unknown package'} ({point.value})"
        _add(registry, origin, point.load)
    own = [user_folder()] if user_folder().is_dir() else []
    for file in (one for place in [*own, *([path] if path else [])] for one in _plugin_files(place)):
        _add(registry, str(file), partial(_import_file, file))
    return registry


def _add(registry: Registry, origin: str, get: Callable[[], object]) -> None:
    try:
        fresh: dict[str, Task] = {}
        thing = get()
        for task in found_in(thing):
            known = fresh.get(task.name) or registry.tasks.get(task.name)
            if known is task:
                continue  # imported from where it was made
            if known is not None:
                raise BenchError(f"{origin}: a task named {task.name!r} exists already. Give this one another name.")
            fresh[task.name] = task
        shifts = {shift.name: shift for shift in _found(thing, Shift)}
        double = [name for name, shift in shifts.items() if registry.shifts.get(name, shift) is not shift]
        if double:
            raise BenchError(f"{origin}: a shift {double[0]!r} exists already. Give its target another name.")
    except FOREIGN:
        registry.broken[origin] = traceback.format_exc()
    else:
        registry.tasks.update(fresh)
        registry.shifts.update(shifts)
        registry.origins.update(dict.fromkeys(fresh, origin))


def _matching(wanted: str, registry: Registry) -> list[Task]:
    kind, colon, value = wanted.partition(":")
    every = [registry.tasks[name] for name in sorted(registry.tasks)]
    if wanted in registry.tasks:
        return [registry.tasks[wanted]]
    if colon and kind in ("family", "tag"):
        labels = {task.name: {task.family} if kind == "family" else set(task.tags) for task in every}
        known = {one for own in labels.values() for one in own}
        found = [task for task in every if value in labels[task.name]]
        wrong = f"{kind} of tasks", value, known
    else:
        found = [task for task in every if fnmatch.fnmatchcase(task.name, wanted)]
        wrong = "task", wanted, set(registry.tasks)
    if not found:
        raise unknown(*wrong, hint=_hint(registry))
    return found


def _hint(registry: Registry) -> str:
    listed = "`bench-tasks list` shows all."
    if registry.broken:
        listed += f" Plugins that could not be loaded: {', '.join(sorted(registry.broken))} (`bench-tasks check`)."
    return listed


def _plugin_files(path: Path) -> list[Path]:
    if path.is_file():
        return [path]
    if not path.is_dir():
        raise BenchError(f"No folder or file of tasks at {path}. Give a folder with .py files, or one file.")
    return sorted(file for file in path.glob("*.py") if not file.name.startswith("_"))


def _import_file(file: Path) -> ModuleType:
    name = f"_tasks_from_{abs(hash(str(file)))}_{file.stem}"
    spec = importlib.util.spec_from_file_location(name, file)
    if spec is None or spec.loader is None:
        raise BenchError(f"{file} is not a Python file.")
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module
