"""Sweeps that lose nothing: which jobs are missing, how they are launched, and a row for each that died.

Hydra's launchers run the jobs of a sweep: one after the other (`basic`), in processes of this machine
(`cluster=joblib`), or on Slurm (`cluster=slurm`, `slurm`). `Sweep` stands between Hydra and the launcher:

- With `resume=DIR`, jobs that are finished in DIR are not launched again.
- Every job is told to go on with what lies in its folder, so that one which the cluster stops and starts again loses
  no finished cell.
- A job whose process ended without a word (killed, out of memory, time limit) gets a failed row for each cell that it
  still owed; the others go on. The exit status is that of all rows.

| module | what                                                              |
|--------|-------------------------------------------------------------------|
| jobs   | a job of a sweep: its folder, whether it is finished, what it owes |
| slurm  | submit to Slurm and wait, by what `squeue` says                    |
| slots  | one process per GPU of this machine                                |
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Sequence
from concurrent.futures.process import BrokenProcessPool
from typing import TYPE_CHECKING, Any

from hydra.core.plugins import Plugins
from hydra.plugins.launcher import Launcher

from bench.errors import BenchError
from bench.store import atomic

if TYPE_CHECKING:
    from hydra.core.utils import JobReturn
    from hydra.types import HydraContext, TaskFunction
    from omegaconf import DictConfig

    from bench.cluster.jobs import Job

NEEDED = {"slurm": ("hydra_plugins.hydra_submitit_launcher", "slurm"),
          "joblib": ("hydra_plugins.hydra_joblib_launcher", "joblib")}  # fmt: skip
"""What each option of the group `cluster` needs: the launcher's package, and our extra that brings it."""


def check_installed(option: str) -> None:
    """Raises BenchError if the launcher of this option is not there."""
    from importlib.util import find_spec

    package, extra = NEEDED.get(option, ("", ""))
    try:
        there = not package or find_spec(package) is not None
    except ModuleNotFoundError:  # not even the namespace of Hydra's plugins
        there = False
    if not there:
        raise BenchError(f"cluster={option} needs a launcher: pip install 'zeroshot-bench[{extra}]'.")


def stand_between(tell: Callable[[int], object]) -> None:
    """Whatever launcher Hydra makes from here on is made inside a `Sweep`; `tell` gets an exit status for each job."""
    plugins = Plugins.instance()
    own = type(plugins).instantiate_launcher

    def instantiate(*args: Any, **words: Any) -> Launcher:
        return Sweep(own(plugins, *args, **words), tell)

    plugins.instantiate_launcher = instantiate  # type: ignore[method-assign]


class Sweep(Launcher):
    """A launcher around another one."""

    def __init__(self, inner: Any, tell: Callable[[int], object]) -> None:
        self.inner, self.tell = inner, tell

    def setup(self, *, hydra_context: HydraContext, task_function: TaskFunction, config: DictConfig) -> None:
        raise AssertionError("the inner launcher is set up already")

    def launch(self, job_overrides: Sequence[Sequence[str]], initial_job_idx: int) -> Sequence[JobReturn]:
        """Launch what is missing; afterwards every job has its rows."""
        from bench.cluster.jobs import Job

        Plugins.instance().__dict__.pop("instantiate_launcher", None)  # jobs elsewhere get Hydra as it was
        context, config = self.inner.hydra_context, self.inner.config
        jobs = [Job(initial_job_idx + i, tuple(words), context, config) for i, words in enumerate(job_overrides)]
        missing = [job for job in jobs if not (config.resume and job.finished())]
        if len(missing) < len(jobs):
            print(f"{len(jobs) - len(missing)} of {len(jobs)} jobs are finished, {len(missing)} to do", flush=True)
        self._check(missing)
        _note_jobs(jobs)
        returns: list[JobReturn] = []
        reasons = self._launch(missing, returns) if missing else {}
        for job in missing:
            job.settle(reasons.get(job.number, ""))
        bad = [job for job in jobs if job.failed()]
        for job in jobs:
            self.tell(int(job in bad))
        numbers = f", failures in {', '.join(str(job.number) for job in bad)}" if bad else ""
        print(f"{len(jobs)} jobs{numbers}. One table and page of all: bench-report {jobs[0].root}", flush=True)
        return returns  # Hydra raises what a job raised, which is a bug of ours or asked for by debug=true

    def _check(self, jobs: Sequence[Job]) -> None:
        """Raises BenchError, before anything is cleared, if the jobs cannot be launched."""
        if jobs and type(self.inner).__name__ == "SlurmLauncher":
            from bench.cluster import slurm

            slurm.check_there()
        for job in jobs:
            job.check_free()

    def _launch(self, jobs: Sequence[Job], returns: list[JobReturn]) -> dict[int, str]:
        """Launch and wait; `returns` gets what the launcher hands back. Why jobs ended early, where that is known."""
        for job in jobs:
            job.clear()
        if type(self.inner).__name__ == "SlurmLauncher":
            from bench.cluster import slurm

            return slurm.run(self.inner, jobs)
        try:
            found = self.inner.launch([job.words for job in jobs], jobs[0].number)
        except BrokenProcessPool:  # of joblib: one process was killed, and all others with it
            reasons = {job.number: "a process of the sweep was killed" for job in jobs}
            unborn = [job for job in jobs if not job.begun()]
            if not 0 < len(unborn) < len(jobs):
                return reasons
            print(f"bench: a process was killed; {len(unborn)} jobs are launched anew", file=sys.stderr, flush=True)
            return reasons | self._launch(unborn, returns)
        returns += found
        errors = {job.number: one._return_value for job, one in zip(jobs, found, strict=True)}
        return {number: f"{type(one).__name__}: {one}" for number, one in errors.items() if isinstance(one, Exception)}


def _note_jobs(jobs: Sequence[Job]) -> None:
    """Leave in the folder of the sweep which jobs it has: an earlier and larger one may have left others."""
    from bench import results

    names = sorted(str(i) for i in range(jobs[-1].number + 1))  # in the order in which reports find them
    text = json.dumps({"schema": results.SCHEMA_VERSION, "runs": names})
    jobs[0].root.mkdir(parents=True, exist_ok=True)
    atomic(jobs[0].root / results.MERGED, lambda path: path.write_text(text))
