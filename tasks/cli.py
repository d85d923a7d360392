"""`bench-tasks`: what tasks there are, what they say, whether they are sound, and a new one of your own.

bench-tasks list --family shifts         a table; filters: --family --tag --licence --max-size --at-hand
bench-tasks list --format json           the same for programs
bench-tasks show eurosat                 classes, templates, sample prompts, where the data is looked for, and, if it
                                         is here, a contact sheet of pictures (--pictures FILE.png says where)
bench-tasks texts eurosat                every prompt, one JSON line each
bench-tasks check                        the text of all tasks
bench-tasks check eurosat --data         also the pictures: broken, twice, in two splits, classes without any
bench-tasks check eurosat --predictions FILE.parquet     is the class order right? was the model read right? (of a run)
bench-tasks export compositional --out FILE.jsonl    prompts with slots, foils and rule, for any generator
bench-tasks new my_pets --from photos    a plugin from a folder, a table or a hub id
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import tasks
from bench.drawing import Prompted
from bench.errors import BenchError, reading
from bench.task import Task

if TYPE_CHECKING:
    from tasks.checking import Finding


def main(arguments: Sequence[str] | None = None) -> int:
    """Console script. Returns 0; 1 if a check found an error; 2 with one message on stderr."""
    told = _parser().parse_args(list(sys.argv[1:] if arguments is None else arguments))
    try:
        return int(told.run(told))
    except BenchError as error:
        print(f"bench-tasks: {error}", file=sys.stderr)
        return 2
    except BrokenPipeError:
        sys.stderr.close()  # the reader of a pipe (head, less) went away, which is no failure
        return 0


def list_command(told: argparse.Namespace) -> int:
    """One line a task."""
    from tasks.listing import as_table, facts

    chosen = [task for task in _chosen(told) if _wanted(task, told)]
    rows = [facts(task, origin=tasks.load(told.path).origins[task.name]) for task in chosen]
    rows = [row for row in rows if row["at_hand"] or not told.at_hand]
    print(json.dumps(rows, indent=1) if told.format == "json" else as_table(rows))
    for origin, trace in tasks.broken(path=told.path).items():
        print(f"not loaded: {origin}: {trace.strip().splitlines()[-1]}", file=sys.stderr)
    return 0


def show_command(told: argparse.Namespace) -> int:
    """All that a task says of itself."""
    from tasks.listing import as_page, contact_sheet, facts
    from tasks.sources.places import cache_root

    (task,) = _one(told)
    about = facts(task, origin=tasks.load(told.path).origins[task.name])
    if told.format == "json":
        classes = [{"key": one.key, "names": list(one.names)} for one in task.classes]
        print(json.dumps({**about, "class_names": classes, "prompt_templates": list(task.templates)}, indent=1))
    else:
        print(as_page(task, about))
    if told.pictures or (about["at_hand"] and told.format == "text"):
        path = told.pictures or cache_root() / "sheets" / f"{task.name}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        contact_sheet(task.samples(), [one.names[0] for one in task.classes]).save(path)
        print(f"\nPictures: {path}", file=sys.stdout if told.format == "text" else sys.stderr)
    return 0


def texts_command(told: argparse.Namespace) -> int:
    """Every text a model reads for a task, once, as JSON lines."""
    (task,) = _one(told)
    if isinstance(task.load, Prompted):
        every = [(one.id, one.text) for one in task.load.prompts()]
    elif task.protocol == "classification":
        every = [(one.key, text) for i, one in enumerate(task.classes) for text in task.prompts(i)]
    else:
        samples = task.samples()
        every = [
            (name, text) for name, own in zip(samples.ids, samples.attributes["captions"], strict=True) for text in own
        ]
    first = {text: key for key, text in reversed(every)}
    for text in dict.fromkeys(text for _, text in every):
        print(json.dumps({"text": text, "of": first[text]}, ensure_ascii=False))
    return 0


def check_command(told: argparse.Namespace) -> int:
    """Findings of all checks; exit status 1 if one is an error."""
    from tasks.checking import Finding, check_data, check_text

    found: list[tuple[str, Finding]] = []
    for origin, trace in tasks.broken(path=told.path).items():
        found.append(
            (origin, Finding("error", "load", trace.strip() if told.names else trace.strip().splitlines()[-1]))
        )
    chosen = _chosen(told)
    for task in chosen:
        findings = check_text(task) + (check_data(task, pictures=told.pictures) if told.data else [])
        found += [(task.name, one) for one in [*findings, *_order_of(task, told)]]
    errors = sum(one.level == "error" for _, one in found)
    if told.format == "json":
        print(json.dumps([{"task": name, **one._asdict()} for name, one in found], indent=1))
    else:
        for name, one in found:
            if one.level != "note" or told.names:
                print(f"{one.level:<8} {name}: {one.check}: {one.text}")
        counts = ", ".join(
            f"{sum(one.level == level for _, one in found)} {level}s" for level in ("error", "warning", "note")
        )
        print(f"{len(chosen)} tasks checked: {counts}.")
    return 1 if errors else 0


def export_command(told: argparse.Namespace) -> int:
    """Prompts as JSON lines: each with its stored truth."""
    from tasks.compositional import prompts

    (task,) = _one(told)
    if not isinstance(task.load, Prompted):
        raise BenchError(
            f"Task {task.name!r} has pictures, not prompts. `bench-tasks export compositional` has prompts."
        )
    found = prompts(seed=told.seed, meanings=told.meanings, categories=told.category or (), tiers=told.tier or ())
    lines = "".join(one.as_json() + "\n" for one in found)
    if told.out is None:
        print(lines, end="")
    else:
        told.out.write_text(lines, encoding="utf-8")
        print(f"{len(found)} prompts in {len({one.group for one in found})} meanings: {told.out}")
    return 0


def new_command(told: argparse.Namespace) -> int:
    """Write a plugin, check it, and say what to type next."""
    from tasks import scaffold
    from tasks.checking import check_data, check_text

    if told.name in tasks.names():
        raise BenchError(f"There is a task {told.name!r} already. Choose another name, such as 'my_{told.name}'.")
    folder = Path(told.out).expanduser() if told.out else tasks.user_folder()
    found = scaffold.draft(told.source)
    path = scaffold.write(told.name, found, folder)
    tasks.forget()
    (task,) = tasks.select([told.name], path=path)
    print(f"Wrote {path}: {len(task.classes)} classes, splits {dict(task.splits)}.")
    findings = [*check_text(task), *check_data(task, pictures=told.pictures)]
    for one in findings:
        print(f"{one.level:<8} {one.check}: {one.text}")
    place = "" if folder == tasks.user_folder() else f" task.path={path}"
    print(f"Next: look at the names in it, then\n  bench task={told.name}{place}")
    return 1 if any(one.level == "error" for one in findings) else 0


def _chosen(told: argparse.Namespace) -> list[Task]:
    return tasks.select(told.names or ["*"], path=told.path)


def _one(told: argparse.Namespace) -> list[Task]:
    found = tasks.select([told.name], path=told.path)
    if len(found) != 1:
        raise BenchError(f"{told.name!r} names {len(found)} tasks; one is shown at a time.")
    return found


def _wanted(task: Task, told: argparse.Namespace) -> bool:
    size = task.splits[task.test]
    return (
        (told.family is None or task.family == told.family)
        and (told.tag is None or told.tag in task.tags)
        and (told.licence is None or told.licence.lower() in task.licence.lower())
        and (told.max_size is None or (size is not None and size <= told.max_size))
    )


def _order_of(task: Task, told: argparse.Namespace) -> list[Finding]:
    if told.predictions is None:
        return []
    import pyarrow as pa

    from bench.unpacking import read_parquet
    from tasks.checking import check_model, check_order

    what = "a file of predictions with one label a picture"
    with reading(told.predictions, what, mend="Run the evaluation again.", also=(pa.ArrowException,)):
        table = read_parquet(told.predictions, columns=["label", "prediction"])
        labels, predictions = table["label"].to_numpy(dtype="int64"), table["prediction"].to_numpy(dtype="int64")
    if len(labels) and max(labels.max(), predictions.max()) >= len(task.classes):
        raise BenchError(f"{told.predictions} has more classes than task {task.name!r}; is it of another task?")
    return [*check_order(labels, predictions, task.class_names), *check_model(_card_beside(told.predictions))]


def _card_beside(predictions: Path) -> dict[str, Any]:
    """The model card of the run that a file of predictions lies in; empty if it lies elsewhere."""
    try:
        provenance = json.loads((predictions.resolve().parents[1] / "provenance.json").read_text(encoding="utf-8"))
        return dict(provenance.get("model") or {})
    except (OSError, ValueError, IndexError, AttributeError):
        return {}


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="bench-tasks", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    def command(name: str, run: object, help: str, *, output: bool = True) -> argparse.ArgumentParser:  # noqa: A002
        one = commands.add_parser(name, help=help)
        one.set_defaults(run=run)
        one.add_argument("--path", type=Path, help="a folder or file of tasks of your own")
        if output:
            one.add_argument("--format", choices=["text", "json"], default="text")
        return one

    listing = command("list", list_command, "a table of tasks")
    listing.add_argument("names", nargs="*", help="names, globs, family:NAME or tag:NAME (default: all)")
    for option in ("--family", "--tag", "--licence"):
        listing.add_argument(option)
    listing.add_argument("--max-size", type=int, help="at most this many scored pictures")
    listing.add_argument("--at-hand", action="store_true", help="only tasks whose data is on this machine")
    show = command("show", show_command, "all about one task")
    show.add_argument("name")
    show.add_argument(
        "--pictures", type=Path, metavar="FILE.png", help="where to write the contact sheet (default: the cache)"
    )
    command("texts", texts_command, "every prompt of a task", output=False).add_argument("name")
    check = command("check", check_command, "look for mistakes")
    check.add_argument("names", nargs="*", help="names, globs, family:NAME or tag:NAME (default: all)")
    check.add_argument("--data", action="store_true", help="also load the data")
    check.add_argument("--pictures", type=int, metavar="N", help="decode at most N pictures a split")
    check.add_argument("--predictions", type=Path, help="a file of a run's predictions: is the class order right?")
    export = command("export", export_command, "prompts with their truth, as JSON lines", output=False)
    export.add_argument("name")
    export.add_argument("--out", type=Path, metavar="FILE.jsonl", help="a file (default: standard output)")
    export.add_argument("--seed", type=int, default=0)
    export.add_argument("--meanings", type=int, default=4, help="of each kind of prompt (default: 4)")
    export.add_argument("--category", action="append", help="only this category; may be repeated")
    export.add_argument("--tier", action="append", help="only this tier; may be repeated")
    new = command("new", new_command, "a task of your own", output=False)
    new.add_argument("name")
    new.add_argument("--from", dest="source", required=True, help="a folder, a table or a hub id")
    new.add_argument("--out", help="folder to write to (default: your own folder of tasks)")
    new.add_argument("--pictures", type=int, default=2_000, metavar="N", help="decode at most N pictures a split")
    return parser


if __name__ == "__main__":
    sys.exit(main())
