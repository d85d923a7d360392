"""From a composed configuration to objects: the model, the tasks, the evaluation and the store it describes."""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bench.errors import FOREIGN, BenchError

if TYPE_CHECKING:
    from omegaconf import DictConfig

    from bench.audit import Audit
    from bench.embeddings import Progress
    from bench.model import Encoder, Lookup
    from bench.store import Store
    from bench.task import Task


def make(node: Any, kind: str) -> Any:
    """The object a group of the configuration describes.

    Raises:
        BenchError: whatever its constructor raised, in one message; what that was is its cause. Or what it made is
            of no use in this place.
    """
    from hydra.errors import InstantiationException
    from hydra.utils import instantiate
    from omegaconf import OmegaConf

    missing = sorted(str(key) for key in OmegaConf.missing_keys(node))
    if missing:
        raise BenchError(f"This {kind} needs {', '.join(f'{kind}.{key}=...' for key in missing)}.")
    contracts = _contracts(kind)
    try:
        made = instantiate(node, _convert_="object")  # lists and dicts, not OmegaConf's
        parts = made if kind == "task" and isinstance(made, Sequence) else [made]
        fits = all(isinstance(one, contracts) for one in parts)  # which asks the object for what it promises
    except FOREIGN as error:
        cause = error.__cause__ or error if isinstance(error, InstantiationException) else error
        if isinstance(cause, BenchError):
            raise cause from None
        raise _not_made(node, kind, cause) from cause
    if not fits:
        wanted = " or ".join(f"{one.__module__}.{one.__name__}" for one in contracts)
        raise BenchError(
            f"The {kind} ({node.get('_target_')}) is a {type(made).__name__}, which is of no use as such. "
            f"Wanted: {'a list of ' if kind == 'task' else ''}{wanted}, whose docstring says what that is."
        )
    return made


def _contracts(kind: str) -> tuple[type, ...]:
    """What an object of a group of the configuration must be, in one way or another."""
    from bench.audit import Audit
    from bench.evaluation import Evaluation
    from bench.generator import Generator, Informed
    from bench.model import Encoder, Lookup
    from bench.task import Task

    return {"model": (Encoder, Lookup), "task": (Task,), "evaluation": (Evaluation,), "audit": (Audit,),
            "generator": (Generator, Informed)}[kind]  # fmt: skip


def _not_made(node: Any, kind: str, cause: BaseException) -> BenchError:
    """The error for a constructor that raised something of its own."""
    from bench.evaluation.rows import reason_of
    from bench.model.batches import no_room, short_of_memory

    if kind == "model" and short_of_memory(cause):
        return no_room("The model does not fit into memory", cause)
    return BenchError(f"The {kind} ({node.get('_target_')}) could not be made. {' '.join(reason_of(cause).split())}")


def make_tasks(config: DictConfig) -> list[Task]:
    """The chosen tasks; plugins that could not be loaded are named, and left out."""
    import conf

    for origin, trace in conf.broken_tasks(config.task.get("path")).items():
        last = trace.strip().splitlines()[-1]
        print(
            f"bench: task plugin {origin} could not be loaded: {last} (`bench-tasks check` has more)",
            file=sys.stderr,
        )
    chosen: list[Task] = make(config.task, "task")
    return chosen


def planned(config: DictConfig, run: str, error: BenchError) -> list[dict[str, Any]]:
    """A failed row for each cell of a job."""
    from bench.evaluation.rows import describe, failure
    from bench.evaluation.suited import cells

    name = str(config.model.get("path") or config.model.get("name") or config.model["_target_"])
    how, tasks = make(config.evaluation, "evaluation"), make_tasks(config)
    return [failure(describe(name, task, part.name, run), error) for task in tasks for part in cells(how, task)]


def bind_generator(config: DictConfig, tasks: Sequence[Task], progress: Progress | None = None) -> list[Task]:
    """The tasks of prompts bound to the chosen generator; all as they are without one.

    Raises:
        BenchError: a generator that cannot be loaded, or a task that has pictures of its own.
    """
    if not config.generator.get("_target_"):
        return list(tasks)
    from bench.drawing import bound

    kept = make_store(config).folder
    place = kept / "pictures" if kept else Path(tempfile.mkdtemp(prefix="bench-pictures-"))
    return bound(tasks, make(config.generator, "generator"), limit=config.limit, folder=place, progress=progress)


def make_audits(config: DictConfig) -> list[Audit]:
    """The chosen audit; none with `audit=none`."""
    return [make(config.audit, "audit")] if config.audit.get("_target_") else []


def make_store(config: DictConfig) -> Store:
    """The store of `store.folder`, for the share of `shard`."""
    from bench.store import Store, default_folder

    folder = config.store.folder
    return Store(
        default_folder() if folder == "auto" else Path(folder).expanduser() if folder else None, share(config.shard)
    )


def reduced(config: DictConfig, encoder: Encoder | Lookup) -> int | None:
    """The side that JPEG files are reduced for, if that was asked for and the model says how large it sees."""
    return encoder.card.image_size if config.reduced_jpeg else None


def share(text: str | None) -> tuple[int, int] | None:
    """`2/8` -> (2, 8). Raises BenchError for anything else."""
    if text is None:
        return None
    i, _, n = text.partition("/")
    if not (i.isdecimal() and n.isdecimal() and int(i) < int(n)):
        raise BenchError(f"shard={text!r} is no share; write shard=I/N with I from 0 to N-1, such as shard=0/8.")
    return int(i), int(n)
