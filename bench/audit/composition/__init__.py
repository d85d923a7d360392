"""Composition: does a generator put the right properties on the right things, and who says so?

For tasks of prompts (`tasks/compositional`) whose pictures a generator drew. Every scorer reads the slots of every
prompt; beside each of its scores stands how reliable it is on pictures of known truth (`bench.scoring.reliability`),
and a score by a scorer below `level` is not stated. Categories and facts: DALL-E's announcement (OpenAI, 2021-01-05).

Unlike the published suites (GenEval, T2I-CompBench, TIFA, HEIM): truth is stored and never parsed back; the scorer's
own error travels with the score; intervals count meanings; pictures that are missing, blank or failed are wrong and
counted, never dropped; reranker and judge are different models, or the report says that they are not.
"""

from __future__ import annotations

import functools
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd

from bench.audit import AuditCell, Finding, NotApplicableError, Session, Table
from bench.audit.composition import tables
from bench.audit.composition.view import View
from bench.drawing import STATUSES, Drawn
from bench.errors import BenchError, unknown
from bench.metrics.reranking import curve
from bench.scoring import Scorer, UnavailableError, bindings, ratings, reliability
from bench.scoring.clip import ClipReader
from bench.scoring.estimates import mean, records
from bench.scoring.exact import Exact
from bench.scoring.judged import Judged, judge
from bench.scoring.ocr import Ocr
from bench.scoring.vqa import Answerer, TransformersAnswerer, Vqa
from bench.task import Task

NAMES = ("exact", "clip", "ocr", "vqa")


@dataclass(frozen=True)
class Composition:
    """See `conf/audit/composition.yaml`."""

    scorers: Sequence[str] = ("exact", "clip", "ocr")
    level: float = 0.8
    vqa: str | None = None
    ratings: str | None = None
    sheet: int = 12
    name: str = "composition"
    given: Mapping[str, Scorer] = field(default_factory=dict)
    """Scorers by name that replace ours, or are added to them (from Python)."""
    answerer: Answerer | None = None
    """A model that answers questions, instead of the one that `vqa` names (from Python)."""

    def __post_init__(self) -> None:
        for one in self.scorers:
            if one not in (*NAMES, *self.given):
                raise unknown("scorer", one, [*NAMES, *self.given])
        if not 0.5 <= self.level <= 1:
            raise BenchError(f"audit.level is the accuracy that a scorer must have, from 0.5 to 1; found {self.level}.")

    def cells(self, session: Session) -> Iterator[AuditCell]:
        for task in session.tasks:
            yield AuditCell(task, functools.partial(self._look, session, task))

    def _look(self, session: Session, task: Task) -> Iterator[Finding]:
        if not isinstance(task.load, Drawn):
            raise NotApplicableError(f"Task {task.name!r} has no generator: it is about pictures drawn from prompts.")
        view = View(session, task, task.load)
        people = ratings.read(self.ratings) if self.ratings else None
        scorers, absent = self._scorers(session)
        judged = judge(scorers, view.prompts, view.asked, view.there, view.material)
        known = tables.card(scorers, view)
        scores = reliability.attach(
            pd.concat([tables.scores(judged), tables.foils(view)], ignore_index=True), known, self.level
        )
        about = {
            "task": task.name,
            "generator": view.drawn.generator.card.as_dict(),
            "level": self.level,
            "absent": absent,
            "samples": view.drawn.prompted.samples,
            "reranker": session.card.name,
        }
        yield Table("scores", scores, about)
        yield Table("card", known, about)
        yield from (_row(session, task, one) for one in records(scores) if one["measurable"] and one["tier"] == "all")
        yield Table("lost", tables.lost(view), about)
        yield from _lost_rows(session, task, view)
        sound = tables.believed(judged, scores)
        yield from _overall(session, task, sound, about)
        yield Table("objects", tables.by_objects(sound.pictures), about)
        yield Table("confusion", bindings.confusion(sound.slots), about)
        yield Table("bindings", bindings.whose(sound.slots), about)
        yield Table("wordings", tables.wordings(sound.pictures), about)
        yield from _reranked(session, task, view, sound, scorers, about)
        yield Table("pictures", sound.pictures, about)
        yield Table("sheet", tables.sheet(view, sound, self.sheet), about)
        if people is not None:
            yield Table("ratings", ratings.win_rates(people), {**about, "agreement": ratings.agreement(people)})

    def _scorers(self, session: Session) -> tuple[list[Scorer], dict[str, str]]:
        """Those at hand, and why the others are not."""
        found: list[Scorer] = []
        absent: dict[str, str] = {}
        wanted = dict.fromkeys([*self.scorers, *(["vqa"] if self.vqa or self.answerer else [])])
        for name in wanted:
            try:
                found.append(self.given[name] if name in self.given else self._scorer(name, session))
            except UnavailableError as error:
                absent[name] = str(error)
        return found, absent

    def _scorer(self, name: str, session: Session) -> Scorer:
        if name == "exact":
            return Exact()
        if name == "clip":
            return ClipReader(session.texts, session.card.identity)
        if name == "ocr":
            return Ocr()
        if self.answerer is None and self.vqa is None:
            raise UnavailableError("no model is named: audit.vqa=NAME")
        return Vqa(self.answerer or TransformersAnswerer(str(self.vqa)))


def _overall(session: Session, task: Task, sound: Judged, about: dict[str, Any]) -> Iterator[Finding]:
    """All-correct over every category in which the scorer is reliable: one number a scorer."""
    lines = []
    for scorer, own in sound.pictures.groupby("scorer", sort=False):
        found = mean(own["credit"].to_numpy(float), own["meaning"].to_numpy())
        over = list(dict.fromkeys(own["category"]))
        lines.append({"scorer": scorer, **found, "categories": len(over)})
        yield session.row(
            task,
            "all",
            evaluation="composition",
            condition=str(scorer),
            group="all",
            **_numbers(found),
            protocol=f"clustered by meaning, Wilson form; over {', '.join(over)}",
        )
    yield Table("overall", pd.DataFrame(lines), about)


def _reranked(
    session: Session, task: Task, view: View, sound: Judged, scorers: Sequence[Scorer], about: dict[str, Any]
) -> Iterator[Finding]:
    """The gain of reranking by the model of the run, judged by every scorer that is reliable."""
    cosine = dict.fromkeys(view.asked["id"], -np.inf)
    texts = view.session.texts([one.text for one in view.material.prompts])
    products = (view.vectors.astype(np.float64) * texts).sum(axis=1)
    cosine |= {view.asked["id"][line]: float(value) for line, value in zip(view.there, products, strict=True)}
    most = view.drawn.prompted.samples
    numbers = sorted({n for n in (1, 2, 4, 8, 16, 32, 64, 128, 256, 512, most) if n <= most})
    parts = []
    for one in scorers:
        own = sound.pictures[(sound.pictures["scorer"] == one.name) & sound.pictures["credit"].notna()]
        if own.empty:
            continue
        same = one.model == session.card.identity
        found = curve(own.assign(liking=own["id"].map(cosine)), numbers)
        parts.append(found.assign(judge=one.name, same_model=same))
        for line in records(found[found["who"] != "random"]):
            note = (
                "reranker and judge are the same model"
                if same
                else f"reranked by {session.card.name}, judged by {one.name}"
            )
            yield session.row(
                task,
                f"{line['who']}@{line['n']}",
                evaluation="composition",
                condition=one.name,
                group="reranking",
                **{name: line[name] for name in ("value", "low", "high")},
                n=line["prompts"],
                protocol=note,
            )
    yield Table(
        "reranking", pd.concat(parts, ignore_index=True) if parts else pd.DataFrame({"n": [], "who": []}), about
    )


def _lost_rows(session: Session, task: Task, view: View) -> Iterator[Finding]:
    for status in STATUSES:
        share = mean(
            (view.asked["status"] == status).to_numpy(float),
            np.array([view.prompts[i].group for i in view.asked["prompt_index"]]),
        )
        yield session.row(task, f"pictures_{status}", evaluation="composition", group="all", **_numbers(share))


def _row(session: Session, task: Task, one: Mapping[str, Any]) -> Finding:
    where = f"{one['category']}{'' if one['world'] else ' (open)'}"
    trust = f"the scorer is right on {one['reliability']:.3f} of {one['reliability_n']:.0f} readings of known truth"
    return session.row(
        task,
        str(one["kind"]),
        evaluation="composition",
        condition=str(one["scorer"]),
        group=where,
        protocol=f"clustered by meaning, Wilson form; {trust}",
        **_numbers(one),
    )


def _numbers(one: Mapping[str, Any]) -> dict[str, Any]:
    return {name: one[name] for name in ("value", "low", "high", "n")}
