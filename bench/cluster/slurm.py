"""Submit the jobs of a sweep to Slurm as one array, and wait for it by what `squeue` says.

The launcher of Hydra asks Slurm's accounting whether a job has ended; where there is none, or a job was killed, it
waits for ever or gives up the rest. `squeue` is everywhere, and what it no longer lists has ended.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import time
from collections.abc import Sequence
from typing import Any

from bench.cluster.jobs import Job
from bench.errors import BenchError

POLL = 2.0
"""Seconds between two looks at the queue, at first; up to MOST as time passes."""
MOST = 30.0


def run(launcher: Any, jobs: Sequence[Job]) -> dict[int, str]:
    """Submit and wait until all have ended; by number of the job what it raised, if it could still say so."""
    if shutil.which("sbatch") is None:
        raise BenchError("cluster=slurm needs the commands sbatch and squeue: start it on a machine of the cluster.")
    submitted = submit(launcher, jobs)
    array = str(submitted[0].job_id).split("_")[0]
    print(f"{len(jobs)} jobs submitted as Slurm's {array}; what they print: {jobs[0].root / '.submitit'}", flush=True)
    try:
        wait(array)
    except KeyboardInterrupt:
        print(f"\nbench: the jobs go on; `scancel {array}` ends them.", file=sys.stderr)
        raise
    said = {job.number: raised(one) for job, one in zip(jobs, submitted, strict=True)}
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


def submit(launcher: Any, jobs: Sequence[Job]) -> list[Any]:
    """The jobs as submitit knows them. `launcher` is Hydra's: it runs a job, and its parameters name the resources."""
    import submitit
    from hydra.core.singleton import Singleton

    params = dict(launcher.params)
    folder = str(params.pop("submitit_folder"))
    executor = submitit.AutoExecutor(
        folder=folder, cluster="slurm", slurm_max_num_timeout=params.pop("max_num_timeout")
    )
    shared = {"timeout_min", "cpus_per_task", "gpus_per_node", "tasks_per_node", "mem_gb", "nodes", "name",
              "stderr_to_stdout"}  # fmt: skip
    executor.update_parameters(**{name if name in shared else f"slurm_{name}": value for name, value in params.items()})
    state, names = Singleton.get_state(), [f"job_id_for_{job.number}" for job in jobs]
    columns = [job.words for job in jobs], ["hydra.sweep.dir"] * len(jobs), [job.number for job in jobs]
    try:
        return list(executor.map_array(launcher, *columns, names, [state] * len(jobs)))
    except Exception as error:
        said = " ".join(str(error).split())[-300:]
        raise BenchError(f"Slurm did not take the jobs: {said}. The keys are hydra.launcher.partition=... and the like "
                         "(conf/cluster/slurm.yaml).") from error  # fmt: skip


def wait(array: str) -> None:
    """Until the queue no longer lists any job of the array."""
    pause, said = POLL, ""
    while (left := queued(array)) is None or left:
        states = [] if left is None else left
        running = sum(state == "R" for state in states)
        line = f"  Slurm {array}: {running} running, {len(states) - running} waiting"
        if line != said and left is not None:
            print(line, flush=True)
            said = line
        time.sleep(pause)
        pause = min(pause * 1.1, MOST)


def queued(array: str) -> list[str] | None:
    """The states of the array's jobs that have not ended; None if the queue does not answer just now."""
    words = ["squeue", "--noheader", "--array", f"--jobs={array}", "--format=%t"]
    done = subprocess.run(words, capture_output=True, text=True, check=False)  # noqa: S603 - our own words
    if done.returncode == 0:
        return [one for one in done.stdout.split() if one not in ("CD", "CA", "F", "TO", "NF", "OOM")]
    return [] if "Invalid job id" in done.stderr else None
