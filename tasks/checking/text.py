"""Checks of a task's names, templates and metadata; they need no data."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from bench.drawing import Prompted
from bench.metrics import PROTOCOLS
from bench.task import Task
from tasks.checking.findings import Finding, some
from tasks.sources.matching import plain

RELATED = {
    "roc_auc": lambda task: len(task.classes) == 2,
    "top5": lambda task: len(task.classes) > 5,
    "worst_group": lambda task: bool(task.group),
    "worst_group_top5": lambda task: bool(task.group),
}
NEEDS = {
    "roc_auc": "exactly two classes",
    "top5": "more than five classes",
    "worst_group": "Task.group",
    "worst_group_top5": "Task.group",
}
LONG = 60
"""Words from which a prompt is likely to be cut at the 77 tokens of CLIP."""


DENSE = 1e9
"""Bytes from which a dense table of scores is worth a note."""
AS_PUBLISHED = "as_published"
"""Tag of tasks that repeat a published list with its mistakes: what is wrong with their names is a note."""


def check_text(task: Task) -> list[Finding]:
    """All findings about names, templates and metadata."""
    of_names = [finding for check in (names, doubles, misplaced) for finding in check(task)]
    if AS_PUBLISHED in task.tags:
        of_names = [Finding("note", one.check, f"as published: {one.text}") for one in of_names]
    rest = (templates, chance, splits, metadata, meaning, size)
    return of_names + [finding for check in rest for finding in check(task)]


def names(task: Task) -> Iterator[Finding]:
    """Empty names, white space, control characters, underscores."""
    every = [(one.key, name) for one in task.classes for name in one.names]
    if task.protocol == "classification" and len(task.classes) < 2:
        yield Finding("error", "classes", f"there are {len(task.classes)} classes; at least 2 are needed")
    if empty := [key for key, name in every if not name.strip()]:
        yield Finding("error", "empty name", f"classes without a name: {some(empty)}")
    if odd := [name for _, name in every if name.strip() and (name != name.strip() or not name.isprintable())]:
        yield Finding("error", "white space", f"names with white space around them or control characters: {some(odd)}")
    if wide := [name for _, name in every if "  " in name.strip()]:
        yield Finding("note", "double space", f"names with a double space inside: {some(wide)}")
    if keys := [name for _, name in every if "_" in name]:
        yield Finding("warning", "underscore", f"names that look like file names: {some(keys)}")


def doubles(task: Task) -> Iterator[Finding]:
    """Keys and names that occur twice, or differ only in case."""
    if twice := _twice([one.key for one in task.classes]):
        yield Finding("error", "double key", f"keys that two classes share: {some(twice)}")
    first = [name.strip() for one in task.classes for name in dict.fromkeys(one.names)]
    if twice := _twice(first):
        yield Finding(
            "warning",
            "double name",
            f"names that two classes share: {some(twice)}. Such classes cannot be "
            "told apart and share the credit of a tie",
        )
    if clash := sorted(set(_twice([name.lower() for name in first])) - {name.lower() for name in twice}):
        yield Finding("warning", "case clash", f"names that differ only in case: {some(clash)}; CLIP reads lower case")


def misplaced(task: Task) -> Iterator[Finding]:
    """Names that belong to the key of another class: a list that was read by position."""
    keys = {plain(one.key): one.key for one in task.classes if plain(one.key)}
    wrong = []
    for one in task.classes:
        spoken = {plain(name) for name in one.names}
        others = sorted(keys[name] for name in spoken & keys.keys() if keys[name] != one.key)
        if others and not any(_says(name, plain(one.key)) for name in spoken):
            wrong.append(f"{one.key} is called {one.names[0]!r}, which is key {others[0]}")
    if wrong:
        more = f" and {len(wrong) - 3} more" if len(wrong) > 3 else ""
        yield Finding("error", "misplaced name", "names of other classes: " + "; ".join(wrong[:3]) + more)


def templates(task: Task) -> Iterator[Finding]:
    """Templates without a slot, with white space, or twice."""
    if not task.templates:
        yield Finding("error", "templates", "there is no template")
    if bad := [one for one in task.templates if one.count("{}") != 1 or "{" in one.replace("{}", "")]:
        yield Finding("error", "template slot", f"templates without exactly one {{}}: {some(bad)}")
    if odd := [one for one in task.templates if one != one.strip() or "\n" in one]:
        yield Finding("error", "template white space", f"templates with white space around them: {some(odd)}")
    if twice := _twice(list(task.templates)):
        yield Finding("warning", "double template", f"templates that occur twice weigh double: {some(twice)}")
    longest = max((one for i in range(len(task.classes)) for one in task.prompts(i)), key=_words, default="")
    if _words(longest) > LONG:
        yield Finding("warning", "long prompt", f"prompts of over {LONG} words are cut: {longest[:60]!r} ...")


def chance(task: Task) -> Iterator[Finding]:
    """A level of chance that is no share, or not that of the metric."""
    level = task.chance_level
    if isinstance(task.load, Prompted):
        return  # prompts have foils of different number; the rows say what a guess gets
    if not 0 < level < 1:
        yield Finding("error", "chance", f"the level of chance is {level}; it should lie between 0 and 1")
    blind = 1 / len(task.classes) if task.classes else level
    if task.metric in ("top1", "mean_per_class") and abs(level - blind) > 1e-9:
        yield Finding(
            "error",
            "chance",
            f"chance is given as {level:.4f}; guessing among {len(task.classes)} classes gives {blind:.4f}",
        )


def splits(task: Task) -> Iterator[Finding]:
    """Splits and counts that cannot be."""
    if task.test not in task.splits:
        yield Finding("error", "splits", f"the scored split {task.test!r} is not among {some(task.splits)}")
    if bad := [name for name, count in task.splits.items() if count is not None and count < 1]:
        yield Finding("error", "splits", f"splits without a picture: {some(bad)}")
    count = task.splits.get(task.test)
    if count is None:
        yield Finding("note", "splits", "no number of pictures is declared for the scored split")
    elif count < len(task.classes):
        yield Finding("warning", "splits", f"{count} pictures for {len(task.classes)} classes")


def metadata(task: Task) -> Iterator[Finding]:
    """Metric, licence and reference."""
    if task.metric not in PROTOCOLS[task.protocol]:
        yield Finding("error", "metric", f"{task.metric!r} is no metric of {task.protocol}")
    elif task.metric in RELATED and not RELATED[task.metric](task):
        yield Finding("error", "metric", f"{task.metric} needs {NEEDS[task.metric]}")
    for field in ("licence", "reference"):
        if not getattr(task, field).strip():
            yield Finding("error", field, f"no {field} is given (write 'unknown' if it is)")


def meaning(task: Task) -> Iterator[Finding]:
    """Names without a word in them: numbers that a model of photographs has hardly seen described."""
    bare = [one.key for one in task.classes if not any(letter.isalpha() for letter in "".join(one.names))]
    if task.classes and len(bare) == len(task.classes):
        yield Finding(
            "note", "meaning", "all class names are numbers; scores near chance may say little about the model"
        )


def size(task: Task) -> Iterator[Finding]:
    """Retrieval so large that a table of all hits would not fit into memory."""
    count = task.splits.get(task.test) or 0
    if task.protocol == "retrieval" and 4 * count**2 > DENSE:
        yield Finding(
            "note",
            "dense recall",
            f"{count:,} pictures and at least as many captions: a dense table of scores takes "
            f"{4 * count**2 / 1e9:.0f} GB or more, with k places yet more; ranks are counted in blocks here",
        )


def _says(name: str, key: str) -> bool:
    """'permanentcropland' says 'permanentcrop'."""
    return name == key or (min(len(name), len(key)) > 3 and (name in key or key in name))


def _twice(every: list[str]) -> list[str]:
    return sorted(name for name, count in Counter(every).items() if count > 1)


def _words(prompt: str) -> int:
    return len(prompt.split())
