"""Words read off a picture by Tesseract (extra: generators, and the program `tesseract`), letter by letter."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from bench.generator.prompts import Prompt, Slot
from bench.scoring import Material, Reading, UnavailableError, surely

if TYPE_CHECKING:
    from PIL.Image import Image

HEIGHT = 512
"""Pictures are enlarged to this height first: Tesseract wants letters of about 30 pixels."""


def tesseract() -> Callable[[Image], str]:
    """Picture -> text.

    Raises:
        UnavailableError: the Python package or the program is not there.
    """
    try:
        import pytesseract

        pytesseract.get_tesseract_version()
    except ImportError as error:
        raise UnavailableError("pytesseract is not installed (pip install pytesseract)") from error
    except OSError as error:  # TesseractNotFoundError is one
        raise UnavailableError("the program tesseract is not installed") from error

    def read(picture: Image) -> str:
        grey = picture.convert("L")
        large = grey.resize((max(1, round(grey.width * HEIGHT / grey.height)), HEIGHT))
        return str(pytesseract.image_to_string(large, config="--psm 11"))

    return read


@dataclass(frozen=True)
class Ocr:
    """`look` turns a picture into text."""

    look: Callable[[Image], str] = field(default_factory=tesseract)
    name: str = "ocr"
    model: str = ""

    def reads(self, prompt: Prompt, slot: Slot) -> bool:
        return slot.kind == "word"

    def read(self, material: Material) -> list[Reading]:
        return [
            Reading(
                {
                    slot.name: surely(_word(self.look(material.images[i]), slot))
                    for slot in prompt.slots
                    if slot.kind == "word"
                }
            )
            if any(slot.kind == "word" for slot in prompt.slots)
            else Reading({})
            for i, prompt in enumerate(material.prompts)
        ]


def _word(text: str, slot: Slot) -> str:
    """The option that stands in the text as a word; else the whole text, in small letters."""
    words = ["".join(filter(str.isalnum, word)) for word in text.lower().split()]
    return next((value for value in slot.options if value in words), " ".join(word for word in words if word))
