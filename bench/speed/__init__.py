"""Speed, measured side by side with peers: each module is a script, and says in its first lines what it times.

| module       | what                                                                    |
|--------------|-------------------------------------------------------------------------|
| end_to_end   | a whole zero-shot run against CLIP_benchmark's                          |
| pipeline     | pictures and prompts a second, against the machine's limit and open_clip |
| probe        | the linear probe against scikit-learn and clip_benchmark; imagenet: large |
| corruption   | ImageNet-C's corruptions against the port imagecorruptions              |
| dalle        | drawing with and without kept keys and values, against DALLE-pytorch    |
| cost         | what a sweep costs on 1, 8 and 64 GPUs, from measured rates             |
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from bench.task import Task


def select(*names: str) -> list[Task]:
    """Tasks of the registry, as `task=[...]` names them."""
    from bench.assemble import make_tasks
    from bench.overrides import composed, prepare

    return make_tasks(composed(prepare([f"task=[{','.join(names)}]"])))
