"""Corruptions and dose-response sweeps, made on the fly from any task's pictures.

All nineteen corruptions of ImageNet-C (Hendrycks and Dietterich 2019, arXiv 1903.12261), written anew from the
definitions in the authors' scripts, for pictures of any size. What is random is seeded by the picture's own pixels, so
the same picture gets the same damage in any batch, order or process.

- `registry.py`: `corrupt(array, name, severity)`, and the corruptions as values; `constants.py`: their numbers.
- `conditions.py`: the same as conditions of a run; views, JPEG as in the published files, contact sheets.
- `sweeps.py`, `typographic.py`: one change at rising doses.

Where the popular port `imagecorruptions` 1.1.2 departs from the originals, we follow the originals: elastic transform
(the port has other constants and no affine map), motion blur (the port rounds down, and stops at the border), snow and
zoom blur (the port takes a corner of the enlarged layer, not its middle), frost (the port enlarges the photographs by
1.1). Of all three: the swap in glass blur is a copy, see `glass.py`, and one of five frost photographs is a duplicate.
"""

from bench.audit.corruption.conditions import conditions, contact_sheet, expand, sweep, typographic_sweep
from bench.audit.corruption.registry import BY_SIZE, CORRUPTIONS, IN_MCE, KINDS, SEVERITIES, Corruption, corrupt
from bench.audit.corruption.sweeps import SWEEPS, Sweep

__all__ = [
    "BY_SIZE",
    "CORRUPTIONS",
    "IN_MCE",
    "KINDS",
    "SEVERITIES",
    "SWEEPS",
    "Corruption",
    "Sweep",
    "conditions",
    "contact_sheet",
    "corrupt",
    "expand",
    "sweep",
    "typographic_sweep",
]
