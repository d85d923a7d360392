"""The words after `bench`, checked before anything heavy starts: unknown groups, options and keys get the closest ones.

Three short forms are added to Hydra's own grammar: `task=NAME` (also globs and lists) for any task of the registry,
`task=FILE.csv` for a table of one's own, and `model=ORG/NAME` for any CLIP on the hub. They become options of their
group, so sweeps over them work as over files; of tables there can be one.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import Any

from hydra import compose, initialize_config_module
from hydra._internal.utils import get_args_parser
from hydra.core.config_store import ConfigStore
from hydra.core.global_hydra import GlobalHydra
from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.core.override_parser.types import Override
from hydra.errors import HydraException
from omegaconf import DictConfig, OmegaConf
from omegaconf.errors import OmegaConfBaseException

import conf
from bench.cluster import check_installed
from bench.errors import BenchError, unknown
from bench.settings import BenchSettings

TABLES = (".csv", ".tsv", ".jsonl", ".parquet")


def prepare(arguments: list[str]) -> list[str]:
    """The arguments for Hydra, after every override was found to be meaningful.

    Raises:
        BenchError: an override that cannot be read, an unknown group, option or key, or a value of the wrong type.
    """
    ConfigStore.instance().store(name="settings", node=BenchSettings)
    given = get_args_parser().parse_args(arguments).overrides
    rewritten = {one: _listed(one) for one in given}
    words = [word for one in given for word in rewritten[one]]
    parsed = _parse(words)
    path = next((str(one.value()) for one in parsed if one.key_or_group == "task.path"), None)
    for override in parsed:
        _register(override, path)
    for variant in _variants(parsed):
        composed(variant)
    return [word for one in arguments for word in rewritten.get(one, [one])]


def composed(words: list[str]) -> DictConfig:
    """The configuration for these overrides (no sweeps), or a BenchError that says which word is wrong."""
    GlobalHydra.instance().clear()
    ConfigStore.instance().store(name="settings", node=BenchSettings)
    groups = set(conf.groups())
    chosen = [word for word in words if word.lstrip("+~").split("=")[0] in groups]
    try:
        with initialize_config_module("conf", version_base="1.3", job_name="bench"):
            frame = compose("config", overrides=chosen)
            for word in words:
                _check_key(word, frame, groups)
            return compose("config", overrides=words)
    except (HydraException, OmegaConfBaseException) as error:
        raise BenchError(_plain(error)) from error


def _listed(word: str) -> list[str]:
    """`task=[a,b]` means the tasks a and b in one run, `task=people.csv` the table at that place; `resume=DIR` is the
    folder that Hydra works in."""
    if word.startswith("resume=") and word != "resume=null":
        place = _quoted(os.path.expanduser(word.removeprefix("resume=").strip("'\"")))
        return [f"resume={place}", f"hydra.run.dir={place}", f"hydra.sweep.dir={place}"]
    value = word.removeprefix("task=")
    if word.startswith("task=") and value.endswith(TABLES) and "," in value and not os.path.exists(value):
        raise BenchError(
            f"{word}: no sweep can go over tables. `bench-tasks new NAME --from TABLE` makes a task of each, and over "
            "tasks it can; or give each table a run of its own."
        )
    if word.startswith("task=") and value.endswith(TABLES):
        return ["task=table", f"task.file={_quoted(value)}"]
    return [word.replace("task=[", "task.names=[", 1) if word.startswith("task=[") else word]


def _quoted(value: str) -> str:
    if "${" in value:
        raise BenchError(f"{value}: the configuration fills in what stands in ${{}}; give a path without it.")
    return '"{}"'.format(value.strip("'\"").replace("\\", "\\\\").replace('"', '\\"'))


def _parse(words: list[str]) -> list[Override]:
    try:
        return list(OverridesParser.create().parse_overrides(words))
    except HydraException as error:
        raise BenchError(
            f"Cannot read the arguments: {_plain(error)} Write key=value; quote spaces and commas."
        ) from error


def _values(override: Override) -> list[str]:
    if override.is_sweep_override():
        return [str(value) for value in override.sweep_string_iterator()]
    return [str(override.value())]


def _register(override: Override, path: str | None) -> None:
    """Check the option of a group, or make one of a task's name or a hub name."""
    group, options = override.key_or_group, conf.groups()
    if group not in options or override.is_delete():
        return
    for value in _values(override):
        if value in options[group]:
            if group == "cluster":
                check_installed(value)
            continue
        node = _short_form(group, value, path)
        if node is None:
            raise unknown(group, value, options[group])
        folder, _, name = f"{group}/{value}".rpartition("/")
        ConfigStore.instance().store(group=folder, name=name, node=node)


def _short_form(group: str, value: str, path: str | None) -> dict[str, Any] | None:
    if group == "task":
        pattern = any(mark in value for mark in "*?:")
        if not pattern and value not in (names := conf.task_names(path)):
            broken = ", ".join(conf.broken_tasks(path))
            hint = f"These files could not be loaded (`bench-tasks check` says why): {broken}. " if broken else ""
            raise unknown("task", value, [*names, *conf.groups()["task"]], hint=f"{hint}`bench-tasks list` shows all.")
        return {"_target_": "tasks.select", "names": [value], "path": None}
    if group == "model" and "/" in value and not value.startswith("openai/"):
        node = OmegaConf.to_container(OmegaConf.load(conf.FOLDER / "model" / "bundled.yaml"), resolve=False)
        assert isinstance(node, dict)
        return {**{str(key): one for key, one in node.items()}, "name": value}
    return None


def _variants(parsed: list[Override]) -> Iterator[list[str]]:
    """Each value of a sweep is checked once, beside the first values of the others."""

    def word(override: Override, value: str | None) -> str:
        line = str(override.input_line)
        return line if value is None else f"{line.split('=')[0]}={value}"

    swept = {i: list(one.sweep_string_iterator()) for i, one in enumerate(parsed) if one.is_sweep_override()}
    first = [word(one, swept[i][0] if i in swept else None) for i, one in enumerate(parsed)]
    plain = [one for one in first if not one.startswith("hydra")]
    yield plain
    for i, values in swept.items():
        for value in values[1:]:
            changed = [*first[:i], word(parsed[i], value), *first[i + 1 :]]
            yield [one for one in changed if not one.startswith("hydra")]


def _check_key(word: str, frame: DictConfig, groups: set[str]) -> None:
    if word.startswith(("+", "~", "hydra")):
        return
    key = word.split("=")[0]
    if key in groups:
        return
    node: Any = frame
    trail: list[str] = []
    for part in key.split("."):
        # Listed, because `part in node` is false for `???`, a value that must be given.
        if not isinstance(node, DictConfig) or part not in list(node):
            siblings = [str(name) for name in node] if isinstance(node, DictConfig) else []
            where = ".".join(trail)
            names = [f"{where}.{name}" if where else name for name in siblings if name != "_target_"]
            raise unknown("key", key, names, few=99)
        trail.append(part)
        node = node._get_node(part) if OmegaConf.is_missing(node, part) else node[part]


def _plain(error: BaseException) -> str:
    """The first telling line of Hydra's message, with its cause."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    cause = error.__cause__
    if cause is not None and (more := str(cause).splitlines()):
        lines = [*lines[:1], more[0].strip()]
    return " ".join(dict.fromkeys(lines[:2]))
