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


def run(launcher: Any, jobs: Sequence[Job]) -> str:
    """Submit, wait until all have ended; "" since a job that dies says nothing."""
    if shutil.which("sbatch") is None:
        raise BenchError("cluster=slurm needs the commands sbatch and squeue: start it on a machine of the cluster.")
    array = submit(launcher, jobs)
    print(f"{len(jobs)} jobs submitted as Slurm's {array}; what they print: {jobs[0].root / '.submitit'}", flush=True)
    try:
        wait(array)
    except KeyboardInterrupt:
        print(f"\nbench: the jobs go on; `scancel {array}` ends them.", file=sys.stderr)
        raise
    return ""


def submit(launcher: Any, jobs: Sequence[Job]) -> str:
    """The number of the array. `launcher` is Hydra's, whose parameters name the resources and which runs a job."""
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
        made = executor.map_array(launcher, *columns, names, [state] * len(jobs))
    except Exception as error:
        said = " ".join(str(error).split())[-300:]
        raise BenchError(f"Slurm did not take the jobs: {said}. The keys are hydra.launcher.partition=... and the like "
                         "(conf/cluster/slurm.yaml).") from error  # fmt: skip
    return str(made[0].job_id).split("_")[0]


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
