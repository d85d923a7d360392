"""Small models of every family with random weights, saved as the families publish them. No network, no pretrained file.

A text tower with the whole published vocabulary would be large; `vocab_size` stays as published, the width is small.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image

TEXT = {"context_length": 77, "vocab_size": 49408, "width": 64, "heads": 1, "layers": 2}
VISION = {"image_size": 32, "layers": 2, "width": 64, "patch_size": 8}
OPEN_CLIP: dict[str, dict[str, Any]] = {
    "tiny-clip": {"embed_dim": 16, "vision_cfg": VISION, "text_cfg": TEXT},
    "tiny-clip-quickgelu": {"embed_dim": 16, "quick_gelu": True, "vision_cfg": VISION, "text_cfg": TEXT},
    "tiny-custom": {
        "embed_dim": 16,
        "custom_text": True,
        "vision_cfg": VISION,
        "text_cfg": {**TEXT, "context_length": 24},
    },
    # Both ways and pooled at the last place, as SigLIP: cutting the padding would change it.
    "tiny-both-ways": {
        "embed_dim": 16,
        "custom_text": True,
        "init_logit_bias": -10,
        "vision_cfg": VISION,
        "text_cfg": {**TEXT, "context_length": 24, "no_causal_mask": True, "pool_type": "last"},
    },
    # With a class token behind the text, as CoCa.
    "tiny-class-token": {
        "embed_dim": 16,
        "custom_text": True,
        "vision_cfg": VISION,
        "text_cfg": {**TEXT, "context_length": 24, "embed_cls": True},
    },
}


def pictures(seed: int = 0) -> list[Image.Image]:
    """Noise of every mode that a data set may hold, at sizes that need cropping, scaling up and padding."""
    rng = np.random.default_rng(seed)
    colour = Image.fromarray(rng.integers(0, 256, (40, 56, 3), dtype=np.uint8))
    clear = Image.fromarray(rng.integers(0, 256, (33, 20, 4), dtype=np.uint8), "RGBA")
    deep = Image.fromarray(rng.integers(0, 65536, (30, 30), dtype=np.uint16))
    return [
        colour,
        colour.convert("L"),
        colour.convert("P"),
        clear,
        clear.convert("LA"),
        colour.convert("1"),
        colour.convert("CMYK"),
        deep,
        colour.resize((3, 3)),
        colour.resize((1, 7)),
        colour.resize((9, 3)),
    ]


def add_open_clip_configs(folder: Path) -> None:
    """Tell open_clip of the small architectures."""
    import open_clip

    for name, config in OPEN_CLIP.items():
        (folder / f"{name}.json").write_text(json.dumps(config))
    open_clip.add_model_config(folder)


def save_open_clip(name: str, path: Path, *, seed: int = 0) -> Path:
    """A checkpoint of random weights for one of the small architectures: .safetensors, or torch's own kind."""
    import open_clip
    from safetensors.torch import save_file

    torch.manual_seed(seed)
    model = open_clip.create_model(name)
    with torch.no_grad():  # initial text vectors lie so close together that no mistake would show
        for tensor in model.parameters():
            tensor.add_(torch.randn_like(tensor) * 0.05)
    state = {key: value.clone().contiguous() for key, value in model.state_dict().items()}
    save_file(state, path) if path.suffix == ".safetensors" else torch.save(state, path)
    return path


def save_transformers(kind: str, folder: Path, *, seed: int = 0) -> Path:
    """A folder as on the hub: config.json, model.safetensors, preprocessor_config.json and the tokenizer's files.

    `kind` is clip, siglip, siglip2 (SigLIP's class with Gemma's tokenizer: so are its fixed-size checkpoints),
    naflex (SigLIP 2's own class) or chinese_clip.
    """
    import transformers

    folder.mkdir(parents=True, exist_ok=True)
    size = {
        "clip": _save_clip_tokenizer,
        "siglip": _save_siglip_tokenizer,
        "siglip2": _save_gemma_tokenizer,
        "naflex": _save_gemma_tokenizer,
        "chinese_clip": _save_bert_tokenizer,
    }[kind](folder)
    torch.manual_seed(seed)
    model = _tiny_transformers(transformers, kind, size)
    with torch.no_grad():
        for tensor in model.parameters():
            tensor.add_(torch.randn_like(tensor) * 0.1)
        model.logit_scale.fill_(2.5)
    model.save_pretrained(folder)
    (folder / "preprocessor_config.json").write_text(json.dumps(_PROCESSORS[kind]))
    return folder


_CLIP_PROCESSOR = {
    "crop_size": 32,
    "do_center_crop": True,
    "do_normalize": True,
    "do_resize": True,
    "resample": 3,
    "size": 32,
    "image_mean": [0.48145466, 0.4578275, 0.40821073],
    "image_std": [0.26862954, 0.26130258, 0.27577711],
}
_PROCESSORS: dict[str, dict[str, Any]] = {
    "clip": {**_CLIP_PROCESSOR, "feature_extractor_type": "CLIPFeatureExtractor"},
    "chinese_clip": {**_CLIP_PROCESSOR, "image_processor_type": "ChineseCLIPImageProcessor"},
    "siglip": {
        "do_normalize": True,
        "do_rescale": True,
        "do_resize": True,
        "image_mean": [0.5] * 3,
        "image_std": [0.5] * 3,
        "image_processor_type": "SiglipImageProcessor",
        "resample": 3,
        "size": {"height": 32, "width": 32},
    },
    "naflex": {
        "do_normalize": True,
        "do_rescale": True,
        "do_resize": True,
        "image_mean": [0.5] * 3,
        "image_std": [0.5] * 3,
        "image_processor_type": "Siglip2ImageProcessor",
        "resample": 2,
        "patch_size": 8,
        "max_num_patches": 16,
    },
}
_PROCESSORS["siglip2"] = {**_PROCESSORS["siglip"], "resample": 2}


def _tiny_transformers(package: Any, kind: str, vocabulary: int) -> Any:
    tower = {"hidden_size": 32, "intermediate_size": 64, "num_hidden_layers": 2, "num_attention_heads": 2}
    vision: dict[str, Any] = {**tower, "image_size": 32, "patch_size": 8}
    text: dict[str, Any] = {**tower, "vocab_size": vocabulary}
    if kind == "clip":
        text |= {"bos_token_id": vocabulary - 2, "eos_token_id": vocabulary - 1, "pad_token_id": vocabulary - 1}
        return package.CLIPModel(package.CLIPConfig(text_config=text, vision_config=vision, projection_dim=16))
    if kind == "chinese_clip":
        text |= {"max_position_embeddings": 52}
        return package.ChineseCLIPModel(
            package.ChineseCLIPConfig(text_config=text, vision_config=vision, projection_dim=16)
        )
    text |= {
        "max_position_embeddings": 64,
        "projection_size": 32,
        "pad_token_id": 0,
        "bos_token_id": 2,
        "eos_token_id": 1,
    }
    if kind == "naflex":
        vision = {**tower, "patch_size": 8, "num_patches": 16}
        return package.Siglip2Model(package.Siglip2Config(text_config=text, vision_config=vision))
    return package.SiglipModel(package.SiglipConfig(text_config=text, vision_config=vision))


def _save_clip_tokenizer(folder: Path) -> int:
    """Byte-pair pieces of single letters and some merges, as vocab.json and merges.txt."""
    letters = [*"abcdefghijklmnopqrstuvwxyz0123456789.,'!?&;Ġ"]
    merges = [("c", "a"), ("ca", "t</w>"), ("o", "f</w>"), ("p", "h"), ("ph", "o"), ("t", "o</w>"), ("pho", "to</w>")]
    pieces = [
        *letters,
        *(letter + "</w>" for letter in letters),
        *("".join(pair) for pair in merges),
        "<|startoftext|>",
        "<|endoftext|>",
    ]
    (folder / "vocab.json").write_text(json.dumps({piece: number for number, piece in enumerate(pieces)}))
    (folder / "merges.txt").write_text("#version: 0.2\n" + "\n".join(" ".join(pair) for pair in merges) + "\n")
    special = {
        "bos_token": "<|startoftext|>",
        "eos_token": "<|endoftext|>",
        "pad_token": "<|endoftext|>",
        "unk_token": "<|endoftext|>",
    }
    _configure(folder, "CLIPTokenizer", model_max_length=77, **special)
    return len(pieces)


def _save_siglip_tokenizer(folder: Path) -> int:
    """A sentencepiece model trained on a few lines, as spiece.model."""
    import sentencepiece

    lines = [
        "a photo of a cat",
        "a drawing of two dogs beside the house",
        "the quick brown fox jumps over the lazy dog",
    ]
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=iter(lines * 20),
        model_prefix=str(folder / "spiece"),
        vocab_size=48,
        hard_vocab_limit=False,
        unk_id=2,
        eos_id=1,
        pad_id=0,
        bos_id=-1,
        minloglevel=2,
    )
    (folder / "spiece.vocab").unlink()
    _configure(
        folder,
        "SiglipTokenizer",
        model_max_length=64,
        do_lower_case=True,
        eos_token="</s>",
        pad_token="</s>",
        unk_token="<unk>",
        model_input_names=["input_ids"],
    )
    return 64


def _save_gemma_tokenizer(folder: Path) -> int:
    """Letters of both cases and bytes, with the end of text added, as tokenizer.json."""
    from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, processors

    pieces = [
        "<pad>",
        "<eos>",
        "<bos>",
        "<unk>",
        "<mask>",
        "▁",
        *"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ.,'",
    ]
    pieces += [f"<0x{byte:02X}>" for byte in range(256)]
    ids = {piece: number for number, piece in enumerate(pieces)}
    inner = Tokenizer(models.BPE(vocab=ids, merges=[], unk_token="<unk>", fuse_unk=True, byte_fallback=True))
    inner.normalizer = normalizers.Replace(" ", "▁")
    inner.pre_tokenizer = pre_tokenizers.Split(" ", "merged_with_previous")
    inner.post_processor = processors.TemplateProcessing(single="$A <eos>", special_tokens=[("<eos>", 1)])
    inner.save(str(folder / "tokenizer.json"))
    special = {
        "bos_token": "<bos>",
        "eos_token": "<eos>",
        "pad_token": "<pad>",
        "unk_token": "<unk>",
        "mask_token": "<mask>",
    }
    _configure(
        folder,
        "GemmaTokenizer",
        add_bos_token=False,
        add_eos_token=True,
        model_input_names=["input_ids"],
        padding_side="left",
        model_max_length=10**30,
        **special,
    )
    return len(pieces)


def _save_bert_tokenizer(folder: Path) -> int:
    pieces = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "a", "photo", "of", "cat", "dog", "red", *"bcdefghijklm"]
    (folder / "vocab.txt").write_text("\n".join(pieces) + "\n")
    _configure(folder, "BertTokenizer", do_lower_case=True)
    return len(pieces)


def _configure(folder: Path, kind: str, **settings: Any) -> None:
    (folder / "tokenizer_config.json").write_text(json.dumps({"tokenizer_class": kind, **settings}))
