"""`bench-report`: render a run again, merge a sweep, compare runs. Needs neither a model nor torch.

bench-report outputs/RUN                    the page of one run
bench-report outputs/SWEEP                  one page and one table of all jobs below
bench-report A B --out merged               the same for folders given by name
bench-report compare A B                    paired tests on the same pictures: who wins where, and is it real
bench-report parity outputs/RUN             values on published weights beside the published values
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from bench.errors import BenchError


def main(arguments: Sequence[str] | None = None) -> int:
    """Console script. Returns 0, or 2 with one message on stderr."""
    words = list(sys.argv[1:] if arguments is None else arguments)
    try:
        if words[:1] == ["compare"]:
            return compare_command(words[1:])
        if words[:1] == ["parity"]:
            from reports import parity

            return parity.command(words[1:])
        return render_command(words)
    except BenchError as error:
        print(f"bench-report: {error}", file=sys.stderr)
        return 2
    except OSError as error:
        print(f"bench-report: {error.strerror or error}: {error.filename or ''}", file=sys.stderr)
        return 2


def render_command(words: list[str]) -> int:
    """Render one run in place, or merge several."""
    parser = argparse.ArgumentParser(
        prog="bench-report", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "folders", nargs="+", type=Path, metavar="DIR", help="a run folder, or a folder that holds runs"
    )
    parser.add_argument("--out", type=Path, help="where to write (default: the folder itself)")
    parser.add_argument("--format", choices=["text", "json"], default="text", help="what to print")
    told = parser.parse_args(words)
    if len(told.folders) > 1 and told.out is None:
        raise BenchError("Several folders are merged into one, so say where: --out DIR.")

    from bench import results
    from reports import folder, page, tables

    runs = folder.read_all(told.folders)
    out = told.out or told.folders[0]
    rows = folder.merged_rows(runs)
    if len(runs) > 1 or told.out is not None:
        results.save(rows, out)
        folder.note_merge(runs, out)
    path = page.render(runs, out)
    main_rows = tables.headline(rows)
    print(as_json(main_rows, path) if told.format == "json" else as_text(main_rows, path, len(runs)))
    return 0


def as_text(main_rows: Any, path: Path, runs: int) -> str:
    """The answer of each model, and where the page is."""
    from reports import escape, tables, words

    lines = [f"{escape.plain(row['model'])}, {words.evaluation(row['evaluation'])}: {escape.plain(words.answer(row))}"
             for row in tables.lines(tables.summaries(main_rows))]  # fmt: skip
    return "\n".join([*lines, f"{words.count(runs, 'run')}: {path}"])


def as_json(main_rows: Any, path: Path) -> str:
    """`{report, summaries: [...], rows: [...]}`; numbers that are not there are null."""
    from reports import tables

    summaries, rows = (records(table) for table in (tables.summaries(main_rows), main_rows))
    return json.dumps(
        {"report": str(path), "summaries": summaries, "rows": rows}, indent=1, ensure_ascii=False, allow_nan=False
    )


def records(table: Any) -> list[dict[str, Any]]:
    """Rows as plain values that JSON knows."""
    found: list[dict[str, Any]] = json.loads(table.to_json(orient="records", double_precision=15))
    return found


def compare_command(words: list[str]) -> int:
    """Paired comparison of runs."""
    parser = argparse.ArgumentParser(prog="bench-report compare", description="Paired tests on per-image predictions.")
    parser.add_argument("folders", nargs="+", type=Path, metavar="DIR", help="run folders, or folders that hold runs")
    parser.add_argument("--out", type=Path, help="also write compare.html, compare.md and compare.csv here")
    parser.add_argument("--format", choices=["text", "json"], default="text", help="what to print")
    parser.add_argument("--control", choices=["holm", "fdr"], default="holm", help="control over tasks (default: holm)")
    told = parser.parse_args(words)

    from reports import compare, comparison_page, folder

    found = compare.compare(folder.groups(told.folders), control=told.control)
    if told.out is not None:
        comparison_page.write(found, told.out)
    print(comparison_page.as_json(found) if told.format == "json" else comparison_page.as_text(found))
    return 0


if __name__ == "__main__":
    sys.exit(main())
