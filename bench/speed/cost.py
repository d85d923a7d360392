"""What a sweep costs: `python -m bench.speed.cost [--models 100] [--tasks 45]`, from measured rates.

A job is one model on one task: starting and loading, then the task's prompts and pictures; each picture is read once
and each prompt encoded once, whatever is evaluated on them. One process per GPU with sixteen cores beside it decodes
while its GPU computes, so pictures take as long as the slower of the two. Jobs are dealt to the GPUs longest first.

Measured (2026-11, one H100 with 16 cores, ViT-B/32, bfloat16, JPEGs of 500 x 375, `bench.speed.pipeline`): the tower
28,500 pictures/s in batches of 1,024; `embed`, which waits for decoding, 2,480 pictures/s in batches of 256.
Assumed: 10 s to start and load (8 s on two cores without a GPU); towers of other sizes do as many multiplications a
second as ViT-B/32; the mix of towers (SHARE). Computed: the multiplications of a prompt, from the 4.1 tokens that are
left of one of ImageNet's in trees of 1,536, are 0.05 of those of a picture.

So the bill of small models is that of starting and of the decoder: a sweep over them needs cores, not GPUs.
"""

from __future__ import annotations

import argparse
import heapq
import json
from typing import NamedTuple

from bench.speed import select
from bench.task import Task

TOWER, DECODED, START, PROMPT = 28_500.0, 2_480.0, 10.0, 0.05
"""Pictures a second of ViT-B/32; decoded ones a second; seconds before a job's first picture; a prompt in pictures."""
OPERATIONS = {"ViT-B-32": 4.4, "ViT-B-16": 17.6, "ViT-L-14": 81.1, "ViT-H-14": 167.0}
"""10^9 multiplications of a picture, from the towers' shapes."""
SHARE = {"ViT-B-32": 0.4, "ViT-B-16": 0.3, "ViT-L-14": 0.25, "ViT-H-14": 0.05}
"""Of the models of a sweep."""


class Size(NamedTuple):
    """Of a task: pictures of the scored split, prompts."""

    pictures: int
    prompts: int


def sizes(count: int) -> list[Size]:
    """The published classification tasks of the registry whose publishers state a count; those of the paper first."""

    def size(one: Task) -> Size:
        prompts = sum(len(name.names) for name in one.classes) * len(one.templates)
        return Size(one.splits[one.test] or 0, prompts)

    known = [one for one in select("tag:clip27", "*") if one.splits.get(one.test)
             and one.protocol == "classification" and not one.load.__module__.startswith("tasks.pack")]  # fmt: skip
    return [size(one) for one in known[:count]]


def seconds(tower: str, task: Size, *, decoded: float = DECODED) -> float:
    """Of one model on one task."""
    rate = TOWER * OPERATIONS["ViT-B-32"] / OPERATIONS[tower]
    return START + task.prompts * PROMPT / rate + task.pictures / min(rate, decoded)


def dealt(jobs: list[float], gpus: int) -> float:
    """Seconds until the last job ends, the longest first to whoever is free."""
    ends = [0.0] * gpus
    for job in sorted(jobs, reverse=True):
        heapq.heapreplace(ends, ends[0] + job)
    return max(ends)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--models", type=int, default=100)
    parser.add_argument("--tasks", type=int, default=45)
    parser.add_argument("--decoded", type=float, default=DECODED, help="pictures a second that a GPU's cores decode")
    given = parser.parse_args()
    known = sizes(given.tasks)
    towers = [name for name, share in SHARE.items() for _ in range(round(share * given.models))]
    jobs = [seconds(tower, task, decoded=given.decoded) for tower in towers for task in known]
    facts = {"models": len(towers), "tasks": len(known), "jobs": len(jobs),
             "pictures of a model": sum(one.pictures for one in known), "prompts": sum(one.prompts for one in known),
             "GPU hours": round(sum(jobs) / 3600, 1)}  # fmt: skip
    hours = {f"hours on {gpus} GPU{'s' * (gpus > 1)}": round(dealt(jobs, gpus) / 3600, 1) for gpus in (1, 8, 64)}
    print(json.dumps(facts | hours))


if __name__ == "__main__":
    main()
