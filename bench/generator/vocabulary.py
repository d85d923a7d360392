"""What our renderer can name: shapes, colours, numbers, relations, words, fonts."""

from __future__ import annotations

from bench.generator.outlines import OUTLINES

SHAPES = tuple(OUTLINES)
COLOURS = {
    "red": (220, 30, 35), "green": (40, 160, 60), "blue": (35, 80, 215), "yellow": (250, 215, 20),
    "orange": (250, 135, 15), "purple": (125, 40, 165), "pink": (250, 130, 185), "brown": (120, 72, 35),
    "black": (20, 20, 20), "grey": (135, 135, 135),
}  # fmt: skip
BACKGROUNDS = {
    "white": (255, 255, 255), "cream": (255, 249, 232), "mint": (232, 250, 238), "sky": (230, 242, 255),
    "lavender": (241, 234, 252), "silver": (236, 236, 236),
}  # fmt: skip
NUMBERS = ("one", "two", "three", "four", "five", "six")
RELATIONS = ("to the left of", "to the right of", "above", "below")
_WORDS = """
hello open stop coffee exit sale love music water happy danger school hotel pizza welcome winter summer bread market
police taxi bus train london paris tokyo monday friday january zero yes no free new light night garden sugar window
orange
house river mountain cheese salt pepper paper pencil table chair doctor nurse teacher student king queen black white
green yellow purple north south east west spring autumn sunday tuesday march april june seven eight nine ten left
right push pull fire ice cold hot wet dry big small fast slow old young man woman child dog cat horse bird fish apple
lemon banana cherry rome berlin madrid cairo delhi sydney
"""
WORDS = tuple(_WORDS.split())
TASK_WORDS = WORDS[:40]
"""The classes of the bundled task; the other words only widen the choice in training."""
FONTS = ("DejaVuSans", "DejaVuSans-Bold", "DejaVuSerif", "DejaVuSerif-Bold", "DejaVuSansMono", "DejaVuSans-Oblique")

TEXTURES = ("plain", "striped", "dotted")
GARMENTS = {"hat": "hat", "gloves": "glove", "shirt": "shirt", "trousers": "trousers"}
"""The word for a garment and the outline of one piece of it."""
