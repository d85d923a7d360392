"""The published CLIP models by name: shape, parameter count, where the weights are, and what they must hash to.

Sources: shapes from tables 19 and 20 of Radford et al. 2021 (arXiv 2103.00020) and from open_clip's model files (MIT);
addresses and SHA-256 of OpenAI's archives from `clip/clip.py` of openai/CLIP and `open_clip/pretrained.py`; commits on
the Hugging Face hub from mteb's model declarations (Apache-2.0) and, for laion2B B/16, B/32, g/14 s12B and OpenAI's
L/14-336, from snapshot paths that several public repositories agree on. A hash of the file itself is given where the
publisher states one; elsewhere the pinned commit stands for it, and the hash found is recorded in the card.

The activation belongs to the weights, not to the shape: OpenAI's models use QuickGELU, LAION's and DataComp's GELU.
Normalisation too: laion2B L/14 was trained with mean and deviation 0.5.
"""

from dataclasses import dataclass

from bench.errors import unknown
from bench.model.clip.preprocess import OPENAI_MEAN, OPENAI_STD, Triple
from bench.model.clip.shape import Activation, ClipShape, ResNetShape, TextShape, VitShape

AZURE = "https://openaipublic.azureedge.net/clip/models"
HALF = (0.5, 0.5, 0.5)


@dataclass(frozen=True)
class Published:
    """One set of weights under its public name."""

    name: str
    shape: ClipShape
    parameters: int
    url: str = ""
    """OpenAI's archive; empty for weights on the Hugging Face hub."""
    sha256: str = ""
    """Of the file at `url`."""
    hub: str = ""
    """Hugging Face repository; empty for OpenAI's archives."""
    revision: str = ""
    """Commit of `hub`."""
    mean: Triple = OPENAI_MEAN
    std: Triple = OPENAI_STD
    licence: str = "MIT"
    data: str = ""
    """What it was trained on."""


def text(width: int, layers: int = 12) -> TextShape:
    """The published text towers differ in width and depth alone."""
    return TextShape(context=77, vocab=49408, width=width, heads=width // 64, layers=layers, hidden=width * 4)


def vit(width: int, layers: int, patch: int, *, head: int = 64, hidden: int | None = None) -> VitShape:
    """A published image tower; `hidden` is four times the width unless given."""
    return VitShape(width, layers, patch, width // head, hidden or width * 4)


def resnet(layers: tuple[int, int, int, int], width: int) -> ResNetShape:
    """A published modified ResNet: heads of 64 channels in the attention pool."""
    return ResNetShape(layers, width, width * 32 // 64)


# embedding, picture side, image tower, text tower; parameter count
TOWERS: dict[str, tuple[int, int, VitShape | ResNetShape, TextShape, int]] = {
    "RN50": (1024, 224, resnet((3, 4, 6, 3), 64), text(512), 102_007_137),
    "RN101": (512, 224, resnet((3, 4, 23, 3), 64), text(512), 119_688_033),
    "RN50x4": (640, 288, resnet((4, 6, 10, 6), 80), text(640), 178_300_601),
    "RN50x16": (768, 384, resnet((6, 8, 18, 8), 96), text(768), 290_979_217),
    "RN50x64": (1024, 448, resnet((3, 15, 36, 10), 128), text(1024), 623_258_305),
    "ViT-B-32": (512, 224, vit(768, 12, 32), text(512), 151_277_313),
    "ViT-B-32-256": (512, 256, vit(768, 12, 32), text(512), 151_288_833),
    "ViT-B-16": (512, 224, vit(768, 12, 16), text(512), 149_620_737),
    "ViT-L-14": (768, 224, vit(1024, 24, 14), text(768), 427_616_513),
    "ViT-L-14-336": (768, 336, vit(1024, 24, 14), text(768), 427_944_193),
    "ViT-H-14": (1024, 224, vit(1280, 32, 14, head=80), text(1024, 24), 986_109_441),
    "ViT-g-14": (1024, 224, vit(1408, 40, 14, head=88, hidden=6144), text(1024, 24), 1_366_678_273),
    "ViT-bigG-14": (1280, 224, vit(1664, 48, 14, head=104, hidden=8192), text(1280, 32), 2_539_567_105),
}


def tower_shape(towers: str, activation: Activation) -> tuple[ClipShape, int]:
    """Shape and parameter count of one of `TOWERS`."""
    embed_dim, size, vision, words, parameters = TOWERS[towers]
    return ClipShape(embed_dim, size, vision, words, activation), parameters


# towers, file, SHA-256
OPENAI = (
    ("RN50", "RN50.pt", "afeb0e10f9e5a86da6080e35cf09123aca3b358a0c3e3b6c78a7b63bc04b6762"),
    ("RN101", "RN101.pt", "8fa8567bab74a42d41c5915025a8e4538c3bdbe8804a470a72f30b0d94fab599"),
    ("RN50x4", "RN50x4.pt", "7e526bd135e493cef0776de27d5f42653e6b4c8bf9e0f653bb11773263205fdd"),
    ("RN50x16", "RN50x16.pt", "52378b407f34354e150460fe41077663dd5b39c54cd0bfd2b27167a4a06ec9aa"),
    ("RN50x64", "RN50x64.pt", "be1cfb55d75a9666199fb2206c106743da0f6468c9d327f3e0d0a543a9919d9c"),
    ("ViT-B-32", "ViT-B-32.pt", "40d365715913c9da98579312b702a82c18be219cc2a73407c4526f58eba950af"),
    ("ViT-B-16", "ViT-B-16.pt", "5806e77cd80f8b59890b7e101eabd078d9fb84e6937f9e85e4ecb61988df416f"),
    ("ViT-L-14", "ViT-L-14.pt", "b8cca3fd41ae0c99ba7e8951adf17d267cdb84cd88be6f7c2e0eca1737a03836"),
    ("ViT-L-14-336", "ViT-L-14-336px.pt", "3035c92b350959924f9f00213499208652fc7ea050643e8b385c2dac08641f02"),
)

# repository, towers, commit
OPENAI_HUB = (
    ("openai/clip-vit-base-patch32", "ViT-B-32", "3d74acf9a28c67741b2f4f2ea7635f0aaf6f0268"),
    ("openai/clip-vit-base-patch16", "ViT-B-16", "57c216476eefef5ab752ec549e440a49ae4ae5f3"),
    ("openai/clip-vit-large-patch14", "ViT-L-14", "32bd64288804d66eefd0ccbe215aa642df71cc41"),
    ("openai/clip-vit-large-patch14-336", "ViT-L-14-336", "ce19dc912ca5cd21c8a653c79e251e808ccabcd1"),
)
LAION = (
    ("laion/CLIP-ViT-B-32-laion2B-s34B-b79K", "ViT-B-32", "1a25a446712ba5ee05982a381eed697ef9b435cf"),
    ("laion/CLIP-ViT-B-16-laion2B-s34B-b88K", "ViT-B-16", "7288da5a0d6f0b51c4a2b27c624837a9236d0112"),
    ("laion/CLIP-ViT-L-14-laion2B-s32B-b82K", "ViT-L-14", "1627032197142fbe2a7cfec626f4ced3ae60d07a"),
    ("laion/CLIP-ViT-H-14-laion2B-s32B-b79K", "ViT-H-14", "de081ac0a0ca8dc9d1533eed1ae884bb8ae1404b"),
    ("laion/CLIP-ViT-g-14-laion2B-s12B-b42K", "ViT-g-14", "4b0305adc6802b2632e11cbe6606a9bdd43d35c9"),
    ("laion/CLIP-ViT-g-14-laion2B-s34B-b88K", "ViT-g-14", "15efd0f6ac0c40c0f9da7becca03c974d7012604"),
    ("laion/CLIP-ViT-bigG-14-laion2B-39B-b160k", "ViT-bigG-14", "bc7788f151930d91b58474715fdce5524ad9a189"),
    ("laion/CLIP-ViT-B-32-DataComp.XL-s13B-b90K", "ViT-B-32", "f0e2ffa09cbadab3db6a261ec1ec56407ce42912"),
    ("laion/CLIP-ViT-B-16-DataComp.XL-s13B-b90K", "ViT-B-16", "d110532e8d4ff91c574ee60a342323f28468b287"),
    ("laion/CLIP-ViT-L-14-DataComp.XL-s13B-b90K", "ViT-L-14", "84c9828e63dc9a9351d1fe637c346d4c1c4db341"),
    # No commit could be established for this one: it is resolved at download, and the card records it.
    ("laion/CLIP-ViT-B-32-256x256-DataComp-s34B-b86K", "ViT-B-32-256", ""),
)
HALF_NORMALISED = {"laion/CLIP-ViT-L-14-laion2B-s32B-b82K"}


def _openai(towers: str, file: str, sha256: str) -> Published:
    shape, parameters = tower_shape(towers, "quickgelu")
    return Published(f"openai/{towers}", shape, parameters, f"{AZURE}/{sha256}/{file}", sha256, data="WIT-400M")


def _openai_hub(repo: str, towers: str, revision: str) -> Published:
    shape, parameters = tower_shape(towers, "quickgelu")
    return Published(repo, shape, parameters, hub=repo, revision=revision, data="WIT-400M")


def _laion(repo: str, towers: str, revision: str) -> Published:
    shape, parameters = tower_shape(towers, "gelu")
    mean, std = (HALF, HALF) if repo in HALF_NORMALISED else (OPENAI_MEAN, OPENAI_STD)
    data = "DataComp-1B" if "DataComp" in repo else "LAION-2B"
    return Published(repo, shape, parameters, hub=repo, revision=revision, mean=mean, std=std, data=data)


ALL = [_openai(*row) for row in OPENAI] + [_openai_hub(*row) for row in OPENAI_HUB] + [_laion(*row) for row in LAION]
MODELS = {model.name: model for model in ALL}


def _plain(name: str) -> str:
    return name.lower().replace("@", "-").replace("/", "-").removesuffix("px")


ALIASES = {_plain(name): name for name in MODELS} | {_plain(row[0]): f"openai/{row[0]}" for row in OPENAI}


def find(name: str) -> Published | None:
    """The model of that name, in any case; OpenAI's own spellings (`ViT-L/14@336px`) are known too."""
    known = ALIASES.get(_plain(name))
    return MODELS[known] if known else None


def get(name: str) -> Published:
    """As `find`, but an unknown name is a BenchError with the closest names."""
    model = find(name)
    if model is None:
        raise unknown("CLIP model", name, MODELS, hint="A file of your own goes into model.path=FILE.")
    return model


def by_hash(sha256: str) -> Published | None:
    """The published model whose file has this hash."""
    return next((model for model in MODELS.values() if model.sha256 and model.sha256 == sha256), None)
