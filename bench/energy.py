"""Energy of a run, where the machine counts it: Linux' power capping counters (Intel and AMD packages, RAPL).

Each package has `energy_uj`, a counter of microjoules that wraps at `max_energy_range_uj`
(Linux kernel documentation, "Power Capping Framework"). It counts the whole package: other programs on the same
machine are in it, memory, disks and graphics cards are not. On most machines only root may read it, and virtual
machines have none: then the energy is not known, and is not guessed.
"""

from __future__ import annotations

from pathlib import Path

COUNTERS = Path("/sys/class/powercap")


class Meter:
    """Reads the counters when made, and again when asked."""

    def __init__(self, folder: Path = COUNTERS) -> None:
        self._packages = sorted(path for path in folder.glob("*-rapl:*") if path.name.count(":") == 1)
        self._began = self._read()

    def joules(self) -> float | None:
        """Since the meter was made, over all packages; None where the machine shows no counter.

        A counter that wrapped more than once in between (an hour or so at full load) counts too little.
        """
        now = self._read()
        if not now or now.keys() != self._began.keys():
            return None
        return sum((now[one] - self._began[one]) % self._range(one) for one in now) / 1e6

    def _read(self) -> dict[Path, int]:
        try:
            return {one: int((one / "energy_uj").read_text()) for one in self._packages}
        except (OSError, ValueError):
            return {}

    @staticmethod
    def _range(package: Path) -> int:
        return int((package / "max_energy_range_uj").read_text()) + 1
