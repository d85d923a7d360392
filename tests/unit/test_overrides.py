import re
from pathlib import Path

import pytest

from bench.errors import BenchError
from bench.overrides import composed, prepare


@pytest.mark.parametrize(("words", "message"), [
    (["modle=x"], "Unknown key 'modle'. Did you mean 'model'?"),
    (["evaluation=zeroshot"], "Unknown evaluation 'zeroshot'. Did you mean 'zero_shot'"),
    (["task=fodo101"], "Unknown task 'fodo101'. Did you mean 'food101'"),
    (["model=openai/ViT-B-33"], "Unknown model 'openai/ViT-B-33'. Did you mean 'openai/ViT-B-32'"),
    (["model.devcie=cpu"], "Unknown key 'model.devcie'. Did you mean 'model.device'"),
    (["store.foldr=x"], "Unknown key 'store.foldr'. Did you mean 'store.folder'"),
    (["limit=many"], "could not be converted to Integer"),
    (["debug=perhaps"], "debug"),
    (["task=cifar10,cifar11", "-m"], "Unknown task 'cifar11'"),
    (["task"], "Cannot read the arguments"),
])  # fmt: skip
def test_a_wrong_word_is_answered_with_the_closest(words: list[str], message: str) -> None:
    with pytest.raises(BenchError, match=re.escape(message)):
        prepare(words)


def test_short_forms_become_options() -> None:
    words = prepare(["task=cifar10", "model=laion/CLIP-ViT-B-32-laion2B-s34B-b79K"])
    config = composed(words)
    assert config.task.names == ["cifar10"]
    assert config.model.name == "laion/CLIP-ViT-B-32-laion2B-s34B-b79K"
    assert config.model._target_ == "bench.model.clip.load_clip"
    assert composed(prepare(["task=[cifar10,mnist]"])).task.names == ["cifar10", "mnist"]


def test_an_experiment_can_be_overridden() -> None:
    config = composed(prepare(["experiment=clip_paper", "task=cifar10"]))
    assert (config.task.names, config.model.name) == (["cifar10"], "openai/ViT-B-32")


def test_flags_of_hydra_pass_through() -> None:
    assert prepare(["--cfg", "job", "limit=3"]) == ["--cfg", "job", "limit=3"]


def test_a_value_that_must_be_given_can_be_given() -> None:
    words = ["model=open_clip", "model.name=ViT-B-32", "model.pretrained=openai"]
    assert composed(prepare(words)).model.name == "ViT-B-32"


def test_a_task_of_a_broken_plugin_names_its_file(tmp_path: Path) -> None:
    (tmp_path / "mine.py").write_text("raise ValueError('broken')")
    with pytest.raises(BenchError, match=r"Unknown task 'mine'.*could not be loaded.*mine\.py"):
        prepare(["task=mine", f"task.path={tmp_path}"])


def test_tables_are_not_swept_over() -> None:
    with pytest.raises(BenchError, match=r"no sweep can go over tables\. `bench-tasks new NAME --from TABLE`"):
        prepare(["-m", "task=a.csv,b.csv"])


def test_places_are_where_a_person_means(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", "/home/me")
    assert 'resume="/home/me/x"' in prepare(["resume=~/x"])
    with pytest.raises(BenchError, match="give a path without it"):
        prepare(["resume=in${x}t"])
