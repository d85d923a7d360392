"""Do the values of a run on published weights equal the published values?

`bench-report parity DIR` sets the rows of a run beside two sources (`published/NOTICE.md`): open_clip's table of 121
models, and the CLIP paper's own tables, zero-shot and linear probes. Both scored the same pictures with the same
weights, so that no sampling error is left: what differs is the protocol or the code. How close a value should be is
said per cell in `published/protocols.csv`: 0.007 from open_clip's on eleven sets where only rounding can differ, 0.02
from the paper's, more where templates or pictures are known to differ, nothing where protocols cannot be compared.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from importlib.resources import files
from pathlib import Path

import pandas as pd

from bench.errors import BenchError

SUSPECTS = (
    "class order: are names joined to the labels of this copy of the data? (bench-tasks check NAME --predictions FILE)",
    "templates: OpenAI's set for this task, or another?",
    "split: the number of pictures, and which they are",
    "metric: mean per class or over pictures, crops or whole pictures",
    "activation and tokeniser: QuickGELU or GELU, padding, lower case",
    "precision: half precision moves MNIST and EuroSAT by points",
)
"""Why values differ, the most frequent cause first."""
COLUMNS = [
    "model", "weights", "task", "evaluation", "metric", "value", "published", "difference", "tolerance", "n", "verdict",
    "source", "seen", "remark",
]  # fmt: skip
VERDICTS = ("agrees", "differs", "differs from a recalled value", "other pictures", "not comparable")


def published() -> pd.DataFrame:
    """Published values, one a row: source, name, pretrained, evaluation, task, metric, published, seen, n, tolerance,
    remark.

    `seen` is `read` (in the source itself), `quoted` (in a document that quotes it) or `recalled`.
    """
    folder = files("reports") / "published"
    with (folder / "open_clip.csv").open() as wide, (folder / "clip_paper.csv").open() as long:
        theirs = pd.read_csv(wide).melt(["name", "pretrained"], var_name="column", value_name="published")
        paper = pd.read_csv(long).rename(columns={"task": "column", "value": "published"})
    with (folder / "protocols.csv").open() as file:
        protocols = pd.read_csv(file, keep_default_na=False, na_values={"n": [""], "tolerance": [""]})
    joined = [
        theirs.assign(source="open_clip", seen="read").merge(protocols, on=["source", "column"]),
        paper.assign(source="clip_paper", pretrained="openai").merge(protocols, on=["source", "evaluation", "column"]),
    ]
    return pd.concat(joined, ignore_index=True).drop(columns=["column", "table"])


def weights_of(model: str, known: pd.DataFrame) -> tuple[str, str] | None:
    """The (name, pretrained) of the published table that a model's name means, or None.

    Letters and digits decide: `laion/CLIP-ViT-B-32-laion2B-s34B-b79K` holds `ViT-B-32` and ends in
    `laion2b_s34b_b79k`. The longest architecture counts (`RN50x4` also holds `RN50`); a name that goes on
    with a digit is another one (`SigLIP2`), and so are weights that go on (`dfn2b_s39b`).
    """
    name = plain(model)
    pairs = set(zip(known["name"], known["pretrained"], strict=True))
    longest = sorted(pairs, key=lambda pair: (-len(plain(pair[0])), -len(plain(pair[1])), pair))
    fitting = [pair for pair in longest if _holds(name, plain(pair[0])) and _trained(name, plain(pair[1]))]
    return fitting[0] if fitting else None


def compare(rows: pd.DataFrame) -> pd.DataFrame:
    """Rows of a run beside the published ones: COLUMNS, the largest difference first.

    Verdicts: `agrees`; `differs`, also from a value that was recalled and never read; `other pictures` if their
    number is another than the published one; `not comparable` where no tolerance is given.
    """
    known = published()
    scored = rows[(rows["status"] == "ok") & (rows["group"] == "all") & (rows["condition"] == "clean")]
    found = []
    for model, own in scored.groupby("model", sort=False):
        pair = weights_of(str(model), known)
        if pair is None:
            continue
        same = known["name"].str.removesuffix("-quickgelu") == pair[0].removesuffix("-quickgelu")
        theirs = known[
            same & (known["pretrained"] == pair[1]) & ((known["name"] == pair[0]) | (known["seen"] != "read"))
        ]
        both = own.merge(theirs, on=["task", "metric", "evaluation"], suffixes=("", "_there"))
        found.append(both.assign(weights=f"{pair[0]} {pair[1]}"))
    if not found:
        return pd.DataFrame(columns=pd.Index(COLUMNS))
    table = pd.concat(found, ignore_index=True)
    table["difference"] = table["value"] - table["published"]
    table["verdict"] = [
        _verdict(*cells)
        for cells in zip(
            table["difference"], table["tolerance"], table["n"], table["n_there"], table["seen"], strict=True
        )
    ]
    order = table["difference"].abs().sort_values(ascending=False, kind="stable").index
    return table.loc[order, COLUMNS].reset_index(drop=True)


def command(words: Sequence[str]) -> int:
    """`bench-report parity`: 0 if all comparable values agree, 1 if one differs."""
    parser = argparse.ArgumentParser(prog="bench-report parity", description="Compare a run with published values.")
    parser.add_argument("folders", nargs="+", type=Path, metavar="DIR", help="run folders, or folders that hold runs")
    parser.add_argument("--format", choices=["text", "json"], default="text", help="what to print")
    told = parser.parse_args(list(words))

    from reports import folder

    rows = folder.merged_rows(folder.read_all(told.folders))
    table = compare(rows)
    if table.empty:
        names = ", ".join(sorted(set(rows["model"])))
        raise BenchError(
            f"Nothing to compare: no published values for {names} on the tasks of this run. There are values of "
            f"{published()['name'].nunique()} architectures with their published weights, the OpenAI, LAION, DataComp "
            "and SigLIP ones among them; the model's name has to hold both (openai/ViT-B-32)."
        )
    if told.format == "json":
        print(json.dumps(json.loads(table.to_json(orient="records", double_precision=10)), indent=1))
    else:
        print(as_text(table))
    return 1 if (table["verdict"] == "differs").any() else 0


def as_text(table: pd.DataFrame) -> str:
    """One line a value, and the usual suspects if one differs."""
    shown = table[[one for one in COLUMNS if one not in ("weights", "evaluation", "n")]]
    numbers = {"value": "{:.4f}", "published": "{:.4f}", "difference": "{:+.4f}", "tolerance": "{:.3f}"}
    lines = [shown.to_string(index=False, formatters={name: form.format for name, form in numbers.items()})]
    if (table["verdict"] == "differs").any():
        lines += ["", "What to look at, the most frequent cause first:"]
        lines += [f"  {number}. {text}" for number, text in enumerate(SUSPECTS, start=1)]
    return "\n".join(lines)


def plain(name: str) -> str:
    """Letters and digits, lower case."""
    return "".join(letter for letter in name.lower() if letter.isalnum())


def _holds(name: str, part: str) -> bool:
    start = name.find(part)
    return start >= 0 and not name[start + len(part) : start + len(part) + 1].isdigit()


def _trained(name: str, weights: str) -> bool:
    return name.endswith(weights) or (weights == "openai" and weights in name)


def _verdict(difference: float, tolerance: float, n: int, expected: float, seen: str) -> str:
    if expected == expected and int(expected) != n:
        return "other pictures"
    if tolerance != tolerance:
        return "not comparable"
    if abs(difference) <= tolerance:
        return "agrees"
    return "differs from a recalled value" if seen == "recalled" else "differs"
