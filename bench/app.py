"""The command `bench`, and the same from Python: compose the choices, run the flow, write the run folder and a page."""

from __future__ import annotations

import atexit
import gc
import os
import shlex
import sys
import time
from collections.abc import Callable
from contextlib import nullcontext, suppress
from datetime import UTC, datetime
from io import TextIOWrapper
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bench.assemble import bind_generator, make, make_audits, make_store, make_tasks, planned, reduced
from bench.errors import BenchError

if TYPE_CHECKING:
    import pandas as pd
    from omegaconf import DictConfig

    from bench.run_folder import RunFolder

FAILED, REFUSED, INTERRUPTED = 1, 2, 130
"""Exit status: a cell failed; the request could not be carried out; Ctrl-C."""

UNDECISIVE = ("cluster", "output", "resume", "shard", "store", "report", "debug")
"""Settings that change no row."""

PROGRESS_BARS = ("HF_HUB_DISABLE_PROGRESS_BARS", "HF_DATASETS_DISABLE_PROGRESS_BARS", "TQDM_DISABLE")
"""Switch off those of libraries, which would fill logs."""

_statuses: list[int] = []
_typed: list[str] = []
"""What stood behind `bench`, before it was made ready for Hydra."""


def main() -> None:
    """Entry of the console script `bench`."""
    atexit.register(_end_at_once)
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")  # a name that a terminal cannot show ends no run
    if not sys.stderr.isatty():
        os.environ.update({name: "1" for name in PROGRESS_BARS if name not in os.environ})
    arguments = _typed[:] = sys.argv[1:]
    debug = any(word.lower() in ("debug=true", "debug=1") for word in arguments)
    os.environ["HYDRA_FULL_ERROR"] = "1"  # Hydra hands errors on instead of printing them: they are told below
    try:
        from bench.overrides import prepare

        sys.argv[1:] = prepare(arguments)
        _hydra()
    except (BenchError, OSError) as error:
        if debug:
            raise
        _stop(_told(error), REFUSED)
    except KeyboardInterrupt:
        _stop("interrupted before anything was computed.", INTERRUPTED)
    sys.exit(max(_statuses, default=0))


def _end_at_once() -> None:
    """Spares Python its last look through a million objects for garbage: 0.7 s."""
    if "triton" not in sys.modules:  # which tells, line by line, what was left of it
        gc.freeze()


def _hydra() -> None:
    import hydra
    from hydra.errors import HydraException

    from bench.cluster import stand_between

    stand_between(_statuses.append)
    try:
        hydra.main(version_base="1.3", config_path="pkg://conf", config_name="config")(_job)()
    except HydraException as error:  # several values without -m, say
        raise BenchError(str(error)) from error


def _job(config: DictConfig) -> None:
    """One job of Hydra: a single run, or one cell of a sweep. Its failure is its status, never the sweep's end."""
    from hydra.core.hydra_config import HydraConfig
    from hydra.types import RunMode

    from bench.cluster.slots import own_gpu
    from bench.run_folder import alone

    hydra_config = HydraConfig.get()
    sweep = hydra_config.mode == RunMode.MULTIRUN
    folder = Path(hydra_config.runtime.output_dir)
    run = f"{folder.parent.name}/{folder.name}" if sweep else folder.name
    try:
        with alone(folder), own_gpu(folder.parent / ".gpus") if sweep else nullcontext():
            table = execute(config, folder=folder, run=run)
        _statuses.append(FAILED if (table["status"] == "failed").any() else 0)
    except (BenchError, OSError) as error:
        if config.debug:
            raise
        which = f"job {hydra_config.job.num}: " if sweep else ""
        print(f"bench: {which}{_told(error)}", file=sys.stderr)
        _statuses.append(REFUSED)
        _note_refusal(folder, run, _told(error))
    except KeyboardInterrupt:
        place = shlex.quote(str(folder.parent if sweep else folder))
        print(
            f"\nbench: interrupted; what is finished is kept. To go on: {_typed_line()} resume={place}", file=sys.stderr
        )
        sys.exit(INTERRUPTED)


def _note_refusal(folder: Path, run: str, reason: str) -> None:
    """Leave the reason where a sweep looks for it, as far as the folder is ours and can be written to."""
    from bench.run_folder import RunFolder, alone, note

    with suppress(BenchError, OSError), alone(folder):
        note(folder, {**RunFolder(folder, {"run": run}, resumed=True).provenance, "refused": reason})


def execute(config: DictConfig, *, folder: Path, run: str) -> pd.DataFrame:
    """Run a composed configuration into `folder`; returns the rows."""
    from bench import clock
    from bench.energy import Meter
    from bench.flow import Settings, run_cells
    from bench.progress import Line

    started, meter, line = time.perf_counter(), Meter(), Line()
    with clock.running() as spent:
        place = _run_folder(config, folder, run)
        tasks, evaluations = make_tasks(config), [make(config.evaluation, "evaluation")]
        audits, tasks = make_audits(config), bind_generator(config, tasks, line.progress)
        with clock.stage("loading the model"):
            encoder = _encoder(config, place, run)
        place.provenance["model"] = encoder.card.as_dict()
        place.keep_journal(run, encoder.card.identity, _decisive(config))
        line.say(f"{encoder.card.name} on {len(tasks)} task{'s' if len(tasks) != 1 else ''}, results in {folder}")
        settings = Settings(
            run=run, limit=config.limit, seed=config.seed, batch_size=config.batch_size, debug=config.debug,
            reduced=reduced(config, encoder), progress=line.progress, on_cell=line.cell, on_audit=line.audit,
        )  # fmt: skip
        table = run_cells(encoder, tasks, evaluations, audits=audits, store=make_store(config), folder=place,
                          settings=settings)  # fmt: skip
        with clock.stage("report"):
            report = _report(config, folder, line)
    whole = time.perf_counter() - started
    place.provenance |= {"seconds": round(whole, 2), "joules": meter.joules(),
                         "spent": {name: round(seconds, 3) for name, seconds in spent.items()}}  # fmt: skip
    place.save_provenance()
    line.end(table, whole, report, clock.summary(spent, whole))
    return table


def _run_folder(config: DictConfig, folder: Path, run: str) -> RunFolder:
    """The folder with what is known before anything was computed."""
    from omegaconf import OmegaConf

    from bench.run_folder import RunFolder

    facts = {"run": run, "command": _command(), "seed": config.seed,
             "started": datetime.now(UTC).isoformat(timespec="seconds")}  # fmt: skip
    place = RunFolder(folder, facts, resumed=config.resume is not None)
    _write(folder / "config.yaml", OmegaConf.to_yaml(config, resolve=True))
    return place


def _encoder(config: DictConfig, place: RunFolder, run: str) -> Any:
    """The model; one that cannot be loaded leaves a failed row for each of its cells, for the merged sweep to show."""
    from bench import results

    try:
        return make(config.model, "model")
    except BenchError as error:
        place.save_rows(results.frame(planned(config, run, error)))
        raise


def _decisive(config: DictConfig) -> str:
    """The part of the configuration that decides the rows, and the content of files that it names."""
    from omegaconf import OmegaConf

    from bench.journal import content

    found = OmegaConf.to_container(config, resolve=True)
    assert isinstance(found, dict)
    named = [content(found[group]) for group in ("audit", "evaluation")]
    return repr([{key: value for key, value in found.items() if key not in UNDECISIVE}, named])


def _report(config: DictConfig, folder: Path, line: Any) -> Path | None:
    """The page; if it cannot be made the results stay, and the reason is said."""
    from hydra.utils import get_method

    if not config.report.get("_target_"):
        return None
    line.stage("report")
    write: Callable[[Path], Path] = get_method(config.report["_target_"])
    try:
        return write(folder)
    except Exception as error:  # a report is a view: it must not take the results with it
        if config.debug:
            raise
        print(
            f"bench: no page was made ({type(error).__name__}: {error}); the rows are in {folder}",
            file=sys.stderr,
        )
        _statuses.append(FAILED)
        return None


def _command() -> str:
    """The line that repeats this run: as typed, and of a job of a sweep its own overrides."""
    from hydra.core.hydra_config import HydraConfig
    from hydra.types import RunMode

    if HydraConfig.initialized() and HydraConfig.get().mode == RunMode.MULTIRUN:
        return shlex.join(["bench", *HydraConfig.get().overrides.task])
    return shlex.join([Path(sys.argv[0]).name or "bench", *sys.argv[1:]])


def _typed_line() -> str:
    """The whole line as it was typed, of a sweep too, but for a folder to go on with."""
    return shlex.join(["bench", *(one for one in _typed if not one.startswith("resume="))]) if _typed else _command()


def _write(path: Path, text: str) -> None:
    from bench.store import atomic

    atomic(path, lambda temporary: temporary.write_text(text))


def _told(error: BenchError | OSError) -> str:
    """A BenchError as it is; of an operating-system error what happened and where."""
    if isinstance(error, BenchError):
        return str(error)
    where = f": {error.filename}" if error.filename else ""
    return f"{error.strerror or error}{where}. Cells that were finished before are kept."


def _stop(message: str, status: int) -> None:
    print(f"bench: {message}", file=sys.stderr)
    sys.exit(status)
