"""What the audit of composition found, as exhibits: what can be said, by whom, and how far that one can be trusted."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from reports.audits import composition_findings as findings
from reports.audits import composition_parts as parts
from reports.audits.composition_pairs import paired_exhibit
from reports.audits.composition_words import AUDIT
from reports.exhibits import Exhibit
from reports.folder import Run


def exhibits(runs: Sequence[Run]) -> list[Exhibit]:
    """Of each run, and the runs against each other where there are several."""
    found = [one for i, run in enumerate(runs, 1) for one in _of_run(run, f"-{i}" if len(runs) > 1 else "")]
    return found + ([paired_exhibit(runs)] if len(runs) > 1 else [])


def _of_run(run: Run, tag: str) -> Iterator[Exhibit]:
    scores = run.table(AUDIT, "scores")
    if scores.empty:
        return
    about = {str(name): value for name, value in scores.attrs.items()}
    whom = about["generator"]["name"]
    title = f"{whom}: does it draw what the sentence says?" + (f" ({run.name})" if tag else "")
    yield Exhibit(
        title,
        list(findings.findings(run, scores)),
        [parts.main(scores, run.table(AUDIT, "lost")), *parts.figures(run, tag)],
        notes=findings.notes(about),
    )
    yield Exhibit(
        f"{whom}: slot by slot, and which property went where",
        list(findings.binding_findings(run)),
        list(parts.details(run, scores, tag)),
    )
    yield Exhibit(
        f"{whom}: whom to believe", list(findings.card_findings(scores)), [parts.card(run.table(AUDIT, "card"))]
    )
    yield Exhibit(
        f"{whom}: contact sheets",
        ["The examples of the seed article come first, by name; below each picture what was asked for."],
        list(parts.sheets(run.table(AUDIT, "sheet"))),
    )
    ratings = run.table(AUDIT, "ratings")
    if not ratings.empty:
        yield parts.people(ratings)
