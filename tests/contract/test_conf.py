"""Every YAML under conf/ composes, and its settings fit the signature of what it names. All errors at once."""

import inspect

import pytest
from hydra.utils import get_method
from omegaconf import OmegaConf

import conf
from bench.assemble import make
from bench.overrides import composed, prepare

EVERY = [(group, option) for group, options in conf.groups().items() for option in options]


@pytest.mark.parametrize(("group", "option"), EVERY, ids=lambda part: str(part))
def test_composes_and_binds(group: str, option: str) -> None:
    config = composed(prepare([f"{group}={option}"]))
    node = config[group]
    if group in ("experiment", "cluster") or node.get("_target_") is None:
        return
    target = get_method(node._target_)
    given = {str(key) for key in node if key != "_target_"}
    parameters = inspect.signature(target).parameters
    takes_any = any(one.kind is inspect.Parameter.VAR_KEYWORD for one in parameters.values())
    assert takes_any or not given - set(parameters), f"unknown settings {given - set(parameters)}"
    required = {name for name, one in parameters.items() if one.default is one.empty
                and one.kind not in (one.VAR_KEYWORD, one.VAR_POSITIONAL)}  # fmt: skip
    supplied_later = set(list(parameters)[:1]) if group == "report" else set()  # the run folder
    assert not required - given - supplied_later, f"missing settings {required - given}"


def test_every_group_has_a_package_in_the_code() -> None:
    assert set(conf.groups()) == {"model", "task", "evaluation", "audit", "generator", "report", "experiment",
                                  "cluster"}  # fmt: skip


def test_the_help_lists_every_top_level_setting() -> None:
    config = composed([])
    assert {"limit", "seed", "batch_size", "debug", "store", "output"} <= set(map(str, config))
    assert not OmegaConf.missing_keys(config)


@pytest.mark.parametrize("group", sorted(conf.groups()["task"]))
def test_task_groups_name_tasks_that_exist(group: str) -> None:
    import tasks

    node = composed([f"task={group}"]).task
    if OmegaConf.missing_keys(node):
        return
    if "names" in node:
        assert tasks.select(list(node.names))
    else:
        assert make(node, "task")


def test_the_packages_are_the_ones_of_this_checkout() -> None:
    """The names bench, tasks, conf and reports are common words; make sure that ours are imported."""
    import bench
    import reports
    import tasks

    homes = {module.__path__[0].rsplit("/", 1)[0] for module in (bench, tasks, reports, conf)}
    assert len(homes) == 1
