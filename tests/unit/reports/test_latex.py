"""The LaTeX table compiles, whatever the names hold. Needs pdflatex (Debian: texlive-latex-recommended)."""

import shutil
import subprocess
from pathlib import Path

import pytest

from reports import page
from tests.unit.reports.made import HOSTILE, Broken, Maker, Toy

PAPER = r"""\documentclass{article}
\usepackage[utf8]{inputenc}
\usepackage[T1]{fontenc}
\usepackage{booktabs,longtable}
\begin{document}
\input{report.tex}
\end{document}
"""


@pytest.mark.slow
@pytest.mark.skipif(shutil.which("pdflatex") is None, reason="pdflatex is not installed")
def test_hostile_names_compile(tmp_path: Path) -> None:
    latin = [name for name in HOSTILE if name.isascii()]
    Maker(tmp_path, model="my_model & co #1 100% $x^2$ {a} \\b ~c").save(
        *(Toy(f"{i}{name}".replace("/", "|"), ["a", "b"], 40, 0.5) for i, name in enumerate(latin)),
        Broken("[0.5] starts like an option", "for a \\reason"),
    )
    page.write(tmp_path)
    (tmp_path / "paper.tex").write_text(PAPER)
    command = ["pdflatex", "-halt-on-error", "-interaction=nonstopmode", "-draftmode", "-no-shell-escape", "paper.tex"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 0, done.stdout[-1500:]
