"""Submit the jobs of a sweep to Slurm in arrays, and wait for them by what `squeue` says.

The launcher of Hydra asks Slurm's accounting whether a job has ended; where there is none, or a job was killed, it
waits for ever or gives up the rest. `squeue` is everywhere, and what it no longer lists has ended.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import time
from collections.abc import Collection, Iterable, Sequence
from typing import Any

from bench.cluster.jobs import Job
from bench.errors import BenchError

POLL = 2.0
"""Seconds between two looks at the queue, at first; up to MOST as time passes."""
MOST = 30.0


def check_there() -> None:
    """Raises BenchError if this machine cannot submit."""
    if shutil.which("sbatch") is None:
        raise BenchError("cluster=slurm needs the commands sbatch and squeue: start it on a machine of the cluster.")


def run(launcher: Any, jobs: Sequence[Job]) -> dict[int, str]:
    """Submit and wait until all have ended; by number of the job what it raised, if it could still say so."""
    submitted = submit(launcher, jobs)
    arrays = names(submitted.values())
    print(f"{len(jobs)} jobs submitted as Slurm's {', '.join(arrays)}; what they print: {jobs[0].root / '.submitit'}",
          flush=True)  # fmt: skip
    try:
        wait(arrays)
    except KeyboardInterrupt:
        print(f"\nbench: the jobs go on; `scancel {' '.join(arrays)}` ends them.", file=sys.stderr)
        raise
    said = {number: raised(one) for number, one in submitted.items()}
    return {number: reason for number, reason in said.items() if reason}


def raised(job: Any) -> str:
    """The last line of what a job raised that nobody caught; "" if it raised nothing, or was killed."""
    if not job.paths.result_pickle.exists():
        return ""
    try:
        answer = job.results()[0]._return_value
    except Exception as error:  # submitit's, with the traceback as text
        answer = error
    return (str(answer).strip().splitlines() or [type(answer).__name__])[-1] if isinstance(answer, Exception) else ""


def submit(launcher: Any, jobs: Sequence[Job]) -> dict[int, Any]:
    """By number of the job what submitit knows it as. `launcher` is Hydra's: its parameters name the resources."""
    import submitit

    params = dict(launcher.params)
    executor = submitit.AutoExecutor(
        folder=str(params.pop("submitit_folder")), cluster="slurm", slurm_max_num_timeout=params.pop("max_num_timeout")
    )
    shared = {"timeout_min", "cpus_per_task", "gpus_per_node", "tasks_per_node", "mem_gb", "nodes", "name",
              "stderr_to_stdout"}  # fmt: skip
    executor.update_parameters(**{name if name in shared else f"slurm_{name}": value for name, value in params.items()})
    arrays = split(jobs, (launcher.config.cluster or {}).get("array_size", len(jobs)))
    executor.update_parameters(slurm_array_parallelism=max(1, params["array_parallelism"] // len(arrays)))
    submitted: dict[int, Any] = {}
    for array in arrays:
        try:
            found = executor.map_array(launcher, *columns(array))
        except Exception as error:
            raise refused(error, submitted.values()) from error
        submitted |= {job.number: one for job, one in zip(array, found, strict=True)}
    return submitted


def split(jobs: Sequence[Job], most: Any) -> list[Sequence[Job]]:
    """The jobs of each array, at most `most`; dealt out in turn, so that long ones lie in all of them."""
    if not isinstance(most, int) or most < 1:
        raise BenchError(f"cluster.array_size={most} is no number of jobs; write 1 or more, such as 1000.")
    count = -(-len(jobs) // most)
    return [jobs[i::count] for i in range(count)]


def columns(jobs: Sequence[Job]) -> tuple[list[Any], ...]:
    """What Hydra's launcher is called with, for each job of an array."""
    from hydra.core.singleton import Singleton

    state, ids = Singleton.get_state(), [f"job_id_for_{job.number}" for job in jobs]
    return ([job.words for job in jobs], ["hydra.sweep.dir"] * len(jobs), [job.number for job in jobs], ids,
            [state] * len(jobs))  # fmt: skip


def names(submitted: Iterable[Any]) -> list[str]:
    """How Slurm calls the arrays of these jobs."""
    return list(dict.fromkeys(str(one.job_id).split("_")[0] for one in submitted))


def refused(error: Exception, before: Collection[Any]) -> BenchError:
    """What Slurm said of an array, and which jobs it had taken before."""
    said, arrays = " ".join(str(error).split())[-300:], " ".join(names(before))
    gone = f" {len(before)} others were submitted before and go on; `scancel {arrays}` ends them." if before else ""
    return BenchError(
        f"Slurm did not take the jobs: {said}. The keys are hydra.launcher.partition=..., cluster.array_size=... and "
        f"the like (conf/cluster/slurm.yaml).{gone}"
    )


def wait(arrays: Sequence[str]) -> None:
    """Until the queue no longer lists any job of the arrays."""
    pause, said = POLL, ""
    while (left := queued(arrays)) is None or left:
        states = [] if left is None else left
        running = sum(state == "R" for state in states)
        line = f"  Slurm {', '.join(arrays)}: {running} running, {len(states) - running} waiting"
        if line != said and left is not None:
            print(line, flush=True)
            said = line
        time.sleep(pause)
        pause = min(pause * 1.1, MOST)


def queued(arrays: Sequence[str]) -> list[str] | None:
    """The states of the arrays' jobs that have not ended; None if the queue does not answer just now."""
    words = ["squeue", "--noheader", "--array", f"--jobs={','.join(arrays)}", "--format=%t"]
    done = subprocess.run(words, capture_output=True, text=True, check=False)  # noqa: S603 - our own words
    if done.returncode == 0:
        return [one for one in done.stdout.split() if one not in ("CD", "CA", "F", "TO", "NF", "OOM")]
    return [] if "Invalid job id" in done.stderr else None
