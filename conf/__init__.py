"""Choices, and the place where the packages meet: `bench` imports neither `tasks` nor `reports`; the YAML files here
name them by `_target_`, and the functions below answer what the command line must know before it composes them.

Groups mirror the code: model/ task/ evaluation/ audit/ generator/ report/ experiment/. A `task` file is a list of
names, never a copy of facts. An `experiment` file is a lab note: command, time on 2 cores, numbers to expect.
"""

from __future__ import annotations

from pathlib import Path

FOLDER = Path(__file__).parent


def groups() -> dict[str, list[str]]:
    """The options of every group, e.g. {'model': ['bundled', 'openai/ViT-B-32', ...]}."""
    folders = sorted(path for path in FOLDER.iterdir() if path.is_dir() and not path.name.startswith("_"))
    return {
        folder.name: sorted(path.relative_to(folder).with_suffix("").as_posix() for path in folder.rglob("*.yaml"))
        for folder in folders
    }


def task_names(path: str | None = None) -> list[str]:
    """Every task of the registry, plugins included; `path` is a folder of the user's own."""
    import tasks

    return tasks.names(path=path)


def broken_tasks(path: str | None = None) -> dict[str, str]:
    """Plugins that could not be loaded, with their tracebacks."""
    import tasks

    return tasks.broken(path=path)
