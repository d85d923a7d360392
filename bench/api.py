"""`bench.run`: what the command line does, for notebooks and scripts."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import nullcontext
from pathlib import Path
from types import NoneType
from typing import TYPE_CHECKING, Any

from bench.assemble import bind_generator, make, make_audits, make_store, make_tasks, reduced

if TYPE_CHECKING:
    import pandas as pd

    from bench.audit import Audit
    from bench.drawing import AnyGenerator
    from bench.evaluation import Evaluation
    from bench.model import Encoder, Lookup
    from bench.task import Task


def run(
    model: str | Encoder | Lookup = "bundled",
    task: str | Sequence[str] | Task | Sequence[Task] | None = None,
    evaluation: str | Evaluation = "zero_shot",
    *,
    audit: str | Audit | None = None,
    generator: str | AnyGenerator | None = None,
    output: str | Path | None = None,
    **settings: Any,
) -> pd.DataFrame:
    """What the command line does, for notebooks: the table of rows.

    Args:
        model: a name as on the command line, or any Encoder.
        task: a name, glob or group, a list of names, or Task values; without any the bundled ones, or those that
            the audit is for.
        evaluation: a name, or any Evaluation.
        audit: a name (robustness, bias, ...), or any Audit.
        generator: a name (scenes, folder, ...), or any Generator, which draws the prompts of task "compositional"; a
            name brings audit=composition.
        output: run folder to write; None writes nothing.
        **settings: top-level settings such as `limit`, `seed`; nested ones as `**{"model.device": "cuda"}`.

    Raises:
        BenchError: an unknown name, key or value, a model that cannot be loaded, or an `output` that another process
            writes.
    """
    from bench.drawing import bound
    from bench.flow import Settings, run_cells
    from bench.overrides import composed, prepare
    from bench.run_folder import RunFolder, alone

    named = (("model", model), ("evaluation", evaluation), ("audit", audit), ("generator", generator))
    words = [f"{group}={value}" for group, value in named if isinstance(value, str)]
    tasks = [task] if not isinstance(task, (str, Sequence, NoneType)) else task
    if tasks is None:
        pass
    elif isinstance(tasks, str):
        words.append(f"task={tasks}")
    elif all(isinstance(one, str) for one in tasks):
        words.append(f"task=[{','.join(map(str, tasks))}]")
    words += [f"{key}={'null' if value is None else value}" for key, value in settings.items()]
    config = composed(prepare(words))
    encoder = make(config.model, "model") if isinstance(model, str) else model
    given = tasks is not None and not any(word.startswith("task") for word in words)
    chosen = list(tasks) if given else make_tasks(config)  # type: ignore[arg-type]
    if generator is not None and not isinstance(generator, str):
        kept = make_store(config).folder
        chosen = bound(chosen, generator, limit=config.limit, folder=kept / "pictures" if kept else None)  # type: ignore[arg-type]
    else:
        chosen = bind_generator(config, chosen)  # type: ignore[arg-type]
    how = make(config.evaluation, "evaluation") if isinstance(evaluation, str) else evaluation
    audits = [audit] if audit is not None and not isinstance(audit, str) else make_audits(config)
    told = Settings(run=Path(output).name if output else "run", limit=config.limit, seed=config.seed,
                    batch_size=config.batch_size, debug=config.debug, reduced=reduced(config, encoder))  # fmt: skip
    with alone(Path(output)) if output else nullcontext():
        place = RunFolder(Path(output), provenance={"model": encoder.card.as_dict()}) if output else None
        return run_cells(
            encoder, chosen, [how], audits=audits, store=make_store(config), folder=place, settings=told,
        )  # fmt: skip
