"""Does a generator mean the same by equivalent sentences? Agreement of verdicts within paraphrase groups.

`across`: two pictures of one meaning by two wordings are both right or both wrong. `within`: the same of two samples of
one wording; what is lost from within to across is owed to the wording, not to chance. `always`: right by every wording
(expected over the samples). All are means over meanings.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator

import numpy as np
import pandas as pd

from bench.scoring.estimates import mean


def consistency(pictures: pd.DataFrame) -> pd.DataFrame:
    """Columns category, what (across, within, always), value, low, high, n, meanings.

    `pictures` has a line a picture of one scorer: category, meaning, prompt, credit.
    """
    lines = [
        one
        for (category, meaning), own in pictures.groupby(["category", "meaning"], sort=False)
        for one in _of_meaning(str(category), str(meaning), own)
    ]
    table = pd.DataFrame(lines, columns=pd.Index(["category", "what", "meaning", "value"]))
    return pd.DataFrame(
        {"category": category, "what": what, **mean(own["value"].to_numpy(), own["meaning"].to_numpy())}
        for (category, what), own in table.groupby(["category", "what"], sort=False)
    )


def _of_meaning(category: str, meaning: str, own: pd.DataFrame) -> Iterator[dict[str, object]]:
    base = {"category": category, "meaning": meaning}
    by_wording = [part["credit"].to_numpy(float) for _, part in own.groupby("prompt", sort=False)]
    by_wording = [one for one in by_wording if np.isfinite(one).all()]
    if len(by_wording) < 2:
        return
    pairs = itertools.combinations(by_wording, 2)
    yield {**base, "what": "across", "value": float(np.mean([_agree(a.mean(), b.mean()) for a, b in pairs]))}
    yield {**base, "what": "always", "value": float(np.prod([one.mean() for one in by_wording]))}
    inside = [_agree(a, b) for one in by_wording for a, b in itertools.combinations(one, 2)]
    if inside:
        yield {**base, "what": "within", "value": float(np.mean(inside))}


def _agree(a: float, b: float) -> float:
    """Both right or both wrong; credits are chances."""
    return a * b + (1 - a) * (1 - b)
