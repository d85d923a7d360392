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
from bench.drawing import KNOWN, STATUSES, Drawn, Reference
from bench.errors import BenchError, unknown
from bench.generator.prompts import Prompt
from bench.run_folder import thumbnail
from bench.scoring import Material, Scorer, UnavailableError, bindings, ratings, reliability, wordings
from bench.scoring.clip import ClipReader, wins
from bench.scoring.estimates import mean
from bench.scoring.exact import Exact
from bench.scoring.judged import Judged, judge
from bench.scoring.ocr import Ocr
from bench.scoring.reranking import curve
from bench.scoring.vqa import Answerer, TransformersAnswerer, Vqa
from bench.task import Samples, Task

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
        known = _card(scorers, view)
        scores = reliability.attach(pd.concat([_scores(judged), _foils(view)], ignore_index=True), known, self.level)
        about = {"task": task.name, "generator": view.drawn.generator.card.as_dict(), "level": self.level, "absent": absent,
                 "samples": view.drawn.prompted.samples, "reranker": session.card.name}  # fmt: skip
        yield Table("scores", scores, about)
        yield Table("card", known, about)
        yield from (_row(session, task, one) for one in _records(scores) if one["measurable"] and one["tier"] == "all")
        yield Table("lost", _lost(view), about)
        yield from _lost_rows(session, task, view)
        sound = _believed(judged, scores)
        yield from _overall(session, task, sound, about)
        yield Table("objects", _by_objects(sound.pictures), about)
        yield Table("confusion", bindings.confusion(sound.slots), about)
        yield Table("bindings", bindings.whose(sound.slots), about)
        yield Table("wordings", _wordings(sound.pictures), about)
        yield from _reranked(session, task, view, sound, scorers, about)
        yield Table("pictures", sound.pictures, about)
        yield Table("sheet", _sheet(view, judged, self.sheet), about)
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


@dataclass(frozen=True)
class View:
    """What the audit looks at: the pictures that were asked for, those that are there, and those of known truth."""

    session: Session
    task: Task
    drawn: Drawn

    @functools.cached_property
    def asked(self) -> pd.DataFrame:
        return self.drawn.asked()

    @property
    def prompts(self) -> Sequence[Prompt]:
        return self.drawn.prompts

    @functools.cached_property
    def samples(self) -> Samples:
        return self.session.samples(self.task)

    @functools.cached_property
    def there(self) -> list[int]:
        """Lines of `asked` of the pictures in `samples`, in their order."""
        place = {name: line for line, name in enumerate(self.asked["id"])}
        return [place[name] for name in self.samples.ids]

    @functools.cached_property
    def vectors(self) -> np.ndarray:
        return self.session.images(self.task)

    @property
    def material(self) -> Material:
        own = [self.prompts[self.asked["prompt_index"][line]] for line in self.there]
        return Material(own, self.samples.images, lambda: self.vectors)

    @functools.cached_property
    def known(self) -> tuple[list[Reference], Material]:
        """Pictures of known truth (none where there are none)."""
        every = {one.id: one for one in self.drawn.prompted.references(self.prompts)}
        if not every:
            return [], Material([], [], lambda: np.zeros((0, self.session.card.dim)))
        samples = self.session.samples(self.task, KNOWN)
        vectors = functools.partial(self.session.split_images, self.task, KNOWN)
        chosen = [every[name] for name in samples.ids]
        return chosen, Material([one.prompt for one in chosen], samples.images, vectors)


def _card(scorers: Sequence[Scorer], view: View) -> pd.DataFrame:
    references, material = view.known
    lines = [line for one in scorers for line in reliability.of_slots(one, references, material)]
    if references:
        lines += reliability.of_foils("foils", references, material.vectors(), view.session.texts)
    return reliability.card(lines)


def _scores(judged: Judged) -> pd.DataFrame:
    """Columns of `reliability.KEY`, tier and the estimate: all-correct and each kind of slot, by category and tier."""
    parts = [judged.pictures.assign(kind="all"), judged.slots]
    return pd.concat([_grouped(part) for part in parts], ignore_index=True)


def _grouped(table: pd.DataFrame) -> pd.DataFrame:
    keys = [*reliability.KEY, "tier"]
    both = pd.concat([table.assign(tier="all"), table], ignore_index=True)
    lines = [dict(zip(keys, key, strict=True)) | mean(own["credit"].to_numpy(float), own["meaning"].to_numpy())
             for key, own in both.groupby(keys, sort=False)]  # fmt: skip
    table = pd.DataFrame(lines, columns=pd.Index([*keys, "value", "low", "high", "n", "meanings"]))
    return table[table["n"] > 0]


def _foils(view: View) -> pd.DataFrame:
    """Win rates and margins of prompts against their foils, by the model of the run; lost pictures win nothing."""
    material = view.material
    won: dict[tuple[int, int], tuple[float, float]] = {
        (view.there[one.picture], one.foil): (one.credit, one.margin)
        for one in wins(material.prompts, view.vectors, view.session.texts)
    }
    lines = []
    for line, row in enumerate(view.asked.itertuples(index=False)):
        prompt = view.prompts[row.prompt_index]
        for number, foil in enumerate(prompt.foils):
            if row.status == "ok" and (line, number) not in won:
                continue  # left out by the run's limit
            credit, margin = won.get((line, number), (0.0, np.nan))
            base = {"scorer": "foils", "category": prompt.category, "world": prompt.scene is not None, "tier": prompt.tier,
                    "meaning": prompt.group, "credit": credit, "margin": margin}  # fmt: skip
            lines += [{**base, "kind": "foil"}, {**base, "kind": f"foil: {foil.kind}"}]
    table = pd.DataFrame(lines)
    keys = [*reliability.KEY, "tier"]
    margins = pd.concat([table.assign(tier="all"), table]).groupby(keys)["margin"].mean().reset_index()
    return _grouped(table).merge(margins, on=keys, how="left")


def _believed(judged: Judged, scores: pd.DataFrame) -> Judged:
    """What was said where the scorer is reliable, for all that is drawn from it."""
    good = scores[scores["measurable"] & (scores["tier"] == "all")][reliability.KEY]
    whole = good[good["kind"] == "all"].drop(columns="kind")
    return Judged(judged.pictures.merge(whole, on=["scorer", "category", "world"]), judged.slots.merge(good, on=reliability.KEY))


def _overall(session: Session, task: Task, sound: Judged, about: dict[str, Any]) -> Iterator[Finding]:
    """All-correct over every category in which the scorer is reliable: one number a scorer."""
    lines = []
    for scorer, own in sound.pictures.groupby("scorer", sort=False):
        found = mean(own["credit"].to_numpy(float), own["meaning"].to_numpy())
        over = list(dict.fromkeys(own["category"]))
        lines.append({"scorer": scorer, **found, "categories": len(over)})
        yield session.row(task, "all", evaluation="composition", condition=str(scorer), group="all", **_numbers(found),
                          protocol=f"clustered by meaning, Wilson form; over {', '.join(over)}")  # fmt: skip
    yield Table("overall", pd.DataFrame(lines), about)


def _by_objects(pictures: pd.DataFrame) -> pd.DataFrame:
    keys = ["scorer", "category", "world", "objects"]
    return pd.DataFrame(
        dict(zip(keys, key, strict=True)) | mean(own["credit"].to_numpy(float), own["meaning"].to_numpy())
        for key, own in pictures.groupby(keys)
    )  # fmt: skip


def _wordings(pictures: pd.DataFrame) -> pd.DataFrame:
    parts = [wordings.consistency(own).assign(scorer=scorer, world=world)
             for (scorer, world), own in pictures.groupby(["scorer", "world"], sort=False)]  # fmt: skip
    return pd.concat(parts, ignore_index=True) if parts else pd.DataFrame(columns=["scorer", "world", "category", "what"])


def _reranked(session: Session, task: Task, view: View, sound: Judged, scorers: Sequence[Scorer],
              about: dict[str, Any]) -> Iterator[Finding]:  # fmt: skip
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
        for line in _records(found[found["who"] != "random"]):
            note = "reranker and judge are the same model" if same else f"reranked by {session.card.name}, judged by {one.name}"
            yield session.row(task, f"{line['who']}@{line['n']}", evaluation="composition", condition=one.name, group="reranking",
                              **{name: line[name] for name in ("value", "low", "high")}, n=line["prompts"], protocol=note)  # fmt: skip
    yield Table("reranking", pd.concat(parts, ignore_index=True) if parts else pd.DataFrame({"n": [], "who": []}), about)


def _lost(view: View) -> pd.DataFrame:
    """Columns category, world and one a status: how many pictures; reason: the first of each category."""
    asked = view.asked.assign(category=[view.prompts[i].category for i in view.asked["prompt_index"]],
                              world=[view.prompts[i].scene is not None for i in view.asked["prompt_index"]])  # fmt: skip
    lines = []
    for (category, world), own in asked.groupby(["category", "world"], sort=False):
        counts = {status: int((own["status"] == status).sum()) for status in STATUSES}
        reason = next((text for text in own["reason"] if text), "")
        lines.append({"category": category, "world": world, **counts, "reason": reason})
    return pd.DataFrame(lines)


def _lost_rows(session: Session, task: Task, view: View) -> Iterator[Finding]:
    for status in STATUSES:
        share = mean((view.asked["status"] == status).to_numpy(float),
                     np.array([view.prompts[i].group for i in view.asked["prompt_index"]]))  # fmt: skip
        yield session.row(task, f"pictures_{status}", evaluation="composition", group="all", **_numbers(share))


def _row(session: Session, task: Task, one: Mapping[str, Any]) -> Finding:
    where = f"{one['category']}{'' if one['world'] else ' (open)'}"
    trust = f"the scorer is right on {one['reliability']:.3f} of {one['reliability_n']:.0f} readings of known truth"
    return session.row(task, str(one["kind"]), evaluation="composition", condition=str(one["scorer"]), group=where,
                       protocol=f"clustered by meaning, Wilson form; {trust}", **_numbers(one))  # fmt: skip


def _numbers(one: Mapping[str, Any]) -> dict[str, Any]:
    return {name: one[name] for name in ("value", "low", "high", "n")}


def _sheet(view: View, judged: Judged, most: int) -> pd.DataFrame:
    """Pictures for the contact sheets: the seed article's examples, and others of each category, one a meaning."""
    rows = view.asked[view.asked["sample"] == 0]
    place = {line: position for position, line in enumerate(view.there)}
    verdicts = judged.pictures.dropna(subset=["credit"]).groupby("id")[["scorer", "credit"]].apply(
        lambda own: ", ".join(f"{name} {credit:.2g}" for name, credit in own.to_numpy())) if len(judged.pictures) else {}  # fmt: skip
    lines, seen, count = [], set(), dict.fromkeys({one.category for one in view.prompts}, 0)
    order = sorted(rows.itertuples(), key=lambda row: not view.prompts[row.prompt_index].example)
    for row in order:
        prompt = view.prompts[row.prompt_index]
        extra = not prompt.example
        if extra and (prompt.group in seen or count[prompt.category] >= most):
            continue
        seen.add(prompt.group)
        count[prompt.category] += extra
        jpeg = thumbnail(view.samples, place[row.Index]) if row.Index in place else b""
        lines.append({"category": prompt.category, "example": prompt.example, "prompt": prompt.text, "tier": prompt.tier,
                      "status": row.status, "reason": row.reason, "verdicts": verdicts.get(row.id, ""), "jpeg": jpeg})  # fmt: skip
    return pd.DataFrame(lines)


def _records(table: pd.DataFrame) -> list[dict[str, Any]]:
    return [{str(name): value for name, value in one.items()} for one in table.to_dict("records")]
