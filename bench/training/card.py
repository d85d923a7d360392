"""The figures of the bundled checkpoint's card, taken from runs of `bench` and from nowhere else.

    bench && bench task=cifar10
    python -m bench.training.card outputs/RUN outputs/OTHER_RUN

writes each headline row of those runs into `card.json` (`figures`) and the table of `CARD.md`. A task is claimed where
its whole 95 % interval lies above chance. Runs of other weights than the bundled ones are refused.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

from bench import results
from bench.errors import BenchError
from bench.model.clip.checkpoint import BUNDLED, CARD, WEIGHTS
from bench.store import atomic, checksum

BEGIN, END = "<!-- figures -->", "<!-- end of figures -->"


def figures(runs: list[Path], weights: str) -> dict[str, dict[str, Any]]:
    """Headline of each task: metric, value, low, high, n, chance, claimed."""
    found: dict[str, dict[str, Any]] = {}
    for run in runs:
        ran = json.loads((run / "provenance.json").read_text())["model"]["weights"]
        if ran != weights:
            raise BenchError(f"{run} was made with weights {ran[:12]}, not with the bundled {weights[:12]}; run again.")
        table = results.read(run)
        for row in table[table["headline"] & (table["status"] == "ok")].to_dict("records"):
            kept = {key: round(row[key], 4) for key in ("value", "low", "high", "chance")}
            found[str(row["task"])] = {
                "metric": row["metric"], **kept, "n": int(row["n"]), "claimed": bool(row["low"] > row["chance"]),
            }  # fmt: skip
    return dict(sorted(found.items()))


def table(found: dict[str, dict[str, Any]]) -> str:
    """The figures as Markdown."""
    lines = ["| task | metric | value | 95 % interval | pictures | chance | above chance |", "|---|" + "---|" * 6]
    for task, one in found.items():
        interval = f"{one['low']:.3f} to {one['high']:.3f}"
        verdict = "yes" if one["claimed"] else "no: not claimed"
        value = f"{one['metric']} | {one['value']:.3f} | {interval} | {one['n']} | {one['chance']:.3f}"
        lines.append(f"| `{task}` | {value} | {verdict} |")
    return "\n".join(lines)


def write(runs: list[Path], folder: Path = BUNDLED) -> None:
    """Put the figures of these runs into the card of `folder`."""
    card = json.loads((folder / CARD).read_text())
    card["figures"] = figures(runs, checksum(folder / WEIGHTS))
    atomic(folder / CARD, lambda path: path.write_text(json.dumps(card, indent=2, ensure_ascii=False) + "\n"))
    page = (folder / "CARD.md").read_text()
    before, _, rest = page.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not end:
        raise BenchError(f"{folder / 'CARD.md'} has no place for the figures: {BEGIN} and {END} on lines of their own.")
    text = f"{before}{BEGIN}\n{table(card['figures'])}\n{END}{after}"
    atomic(folder / "CARD.md", lambda path: path.write_text(text))


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description="Write measured figures into the card of the bundled checkpoint.")
    parser.add_argument("runs", nargs="+", type=Path, help="run folders of bench with the bundled model")
    write(parser.parse_args().runs)


if __name__ == "__main__":
    main()
