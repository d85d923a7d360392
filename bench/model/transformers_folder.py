"""A transformers model from its folder: only safetensors, no code of its own, one clear message for each fault."""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from bench.errors import BenchError, closest, first_line
from bench.model.batches import no_room, short_of_memory
from bench.model.encoding import check_finite
from bench.model.fields import read_fields
from bench.model.hub import quick_to_fail

PADDED_AS_TRAINED = ("siglip", "siglip2")
"""Types whose text tower pools the last place, with padding and no mask."""
FILES = ("*.json", "*.txt", "*.model", "model.safetensors", "model-*-of-*.safetensors")


def find_folder(name: str, revision: str | None) -> Path:
    """The folder of a model on this machine: as given, or fetched from the hub."""
    if Path(name).is_dir():
        return Path(name)
    if Path(name).is_absolute() or name.startswith(".") or name.count("/") != 1:
        raise BenchError(f"There is no folder {name!r}, and a repository of the hub is written org/name.")
    from huggingface_hub import snapshot_download

    try:
        with quick_to_fail():
            return Path(snapshot_download(name, revision=revision, allow_patterns=list(FILES)))
    except Exception as error:  # the hub raises its own, requests' and the operating system's
        raise BenchError(
            f"{name} could not be fetched ({type(error).__name__}: {first_line(error)}). Check the name; without "
            "network, copy config.json, model.safetensors, preprocessor_config.json and the tokenizer's files from "
            "another machine into a folder and use model=transformers model.name=FOLDER."
        ) from error


def weight_files(folder: Path, name: str) -> list[Path]:
    files = sorted({*folder.glob("model.safetensors"), *folder.glob("model-*-of-*.safetensors")})
    if not files:
        others = ", ".join(
            sorted(one.name for kind in ("bin", "h5", "msgpack", "pt") for one in folder.glob(f"*.{kind}"))
        )
        raise BenchError(
            f"{name} holds no model.safetensors (found: {others or 'no weights'}). Other kinds are not read, "
            "because they can carry code. Convert them once with save_pretrained of transformers."
        )
    return files


def read_config(package: Any, folder: Path, name: str) -> Any:
    fields = read_fields(folder / "config.json")
    kind = fields.values.get("model_type")
    if not isinstance(kind, str):
        raise fields.wrong("model_type", "the name of a type that transformers knows, such as 'clip'")
    known = set(import_module("transformers.models.auto.configuration_auto").CONFIG_MAPPING)
    if kind not in known:
        near = ", ".join(closest(kind, known)) or "none is similar"
        raise BenchError(
            f"{name} is of type {kind!r}, which transformers {package.__version__} does not know (similar: "
            f"{near}). Code that comes with a repository is never run; a newer transformers may know it."
        )
    return said(lambda: package.AutoConfig.from_pretrained(folder, trust_remote_code=False), name, "configuration")


def read_model(package: Any, folder: Path, name: str) -> Any:
    def read() -> Any:
        return package.AutoModel.from_pretrained(
            folder, trust_remote_code=False, use_safetensors=True, local_files_only=True, output_loading_info=True
        )

    model, found = said(read, name, "weights")
    absent = [key for key in found["missing_keys"] if not key.endswith("position_ids")]
    if absent or found["mismatched_keys"]:
        example = absent[0] if absent else found["mismatched_keys"]
        raise BenchError(
            f"{name}: {len(absent) or 'some'} tensors that {type(model).__name__} needs are not in the weights or "
            f"have another shape, e.g. {example!r}. Do config.json and model.safetensors belong together?"
        )
    if not (hasattr(model, "get_image_features") and hasattr(model, "get_text_features")):
        raise BenchError(
            f"{name} is a {type(model).__name__}, which has no get_image_features and get_text_features. "
            "Wanted is a model with a tower for pictures and one for texts, such as CLIP or SigLIP."
        )
    check_finite(model, name)
    return model.eval()


def read_processor(package: Any, folder: Path, name: str) -> Any:
    # Pillow's resizing, as the models were published with; asked for by another word before transformers 5.
    pillow = {"backend": "pil"} if find_spec("transformers.image_processing_backends") else {"use_fast": False}
    auto = package.AutoImageProcessor
    return said(
        lambda: auto.from_pretrained(folder, trust_remote_code=False, **pillow), name, "preprocessor_config.json"
    )


def read_tokenizer(package: Any, folder: Path, name: str, config: Any) -> Any:
    side = {"padding_side": "right"} if config.model_type in PADDED_AS_TRAINED else {}
    auto = package.AutoTokenizer
    return said(lambda: auto.from_pretrained(folder, trust_remote_code=False, **side), name, "tokenizer")


def said(read: Callable[[], Any], name: str, what: str) -> Any:
    """What `read` gives; whatever the package raises instead becomes a BenchError about this part of the model."""
    try:
        return read()
    except BenchError:
        raise
    except Exception as error:  # safetensors, tokenizers, json and transformers each raise their own
        if short_of_memory(error):
            raise no_room(f"{name} does not fit into memory", error) from error
        raise BenchError(
            f"{name}: its {what} cannot be read ({type(error).__name__}: {first_line(error)}). "
            "Fetch the files again, or say which revision."
        ) from error
