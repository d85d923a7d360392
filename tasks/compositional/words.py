"""Words that know their article, plural and adjective."""

from __future__ import annotations

PLURALS = {"cactus": "cacti", "glass": "glasses", "strawberry": "strawberries", "box": "boxes", "fish": "fish",
           "sheep": "sheep", "mouse": "mice"}  # fmt: skip
ADJECTIVES = {"pentagon": "pentagonal", "triangle": "triangular", "hexagon": "hexagonal", "square": "square",
              "circle": "round", "octagon": "octagonal"}  # fmt: skip
VOWELS = "aeiou"
SILENT = ("hour", "x-ray")
CONSONANT = ("uni", "eu", "one", "ukulele")


class Word(str):
    """A string with its forms."""

    @property
    def a(self) -> Word:
        first = self.lower()
        vowel = (first[:1] in tuple(VOWELS) and not first.startswith(CONSONANT)) or first.startswith(SILENT)
        return Word(f"{'an' if vowel else 'a'} {self}")

    @property
    def many(self) -> Word:
        return Word(PLURALS.get(self) or self + ("es" if self.endswith(("s", "x", "sh", "ch")) else "s"))

    @property
    def adjective(self) -> Word:
        return Word(ADJECTIVES.get(self, str(self)))
