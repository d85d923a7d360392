"""CLIP: an image tower, a text tower and a learned temperature, in one file.

Sources: Radford et al. 2021, "Learning Transferable Visual Models From Natural Language Supervision"
(arXiv 2103.00020), section 2.4 and appendix F; the attention pool and the three-convolution stem of the
modified ResNet are described there, the averaging shortcut comes from He et al. 2019 (arXiv 1812.01187).
Parameter names equal those of the released weights, so that a published state dict loads as it is.

Differences: attention is `scaled_dot_product_attention`; sequences are batch first; the causal mask is
implied instead of stored, so texts may be trimmed to fewer tokens than the context, and what many begin with may be
computed once (same result, because no position looks to its right). The last block computes only the places that are
read. Shapes at line ends: n pictures or texts, t tokens, r of them read, c channels, w width, d embedding.
"""

import math
from collections import OrderedDict

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from bench.model.clip.shape import Activation, ClipShape, ResNetShape, TextShape, VitShape

__all__ = ["Activation", "Clip", "ClipShape", "ResNetShape", "TextShape", "VitShape"]


def _normal(tensor: Tensor, *, std: float) -> None:
    """Random numbers, but on the meta device, where they would cost a second of imports and be nothing."""
    if not tensor.is_meta:
        nn.init.normal_(tensor, std=std)


def _parameter(*shape: int, std: float) -> nn.Parameter:
    made = nn.Parameter(torch.empty(*shape))
    _normal(made, std=std)
    return made


class QuickGELU(nn.Module):
    """`x * sigmoid(1.702 x)`: what OpenAI trained with. It is not GELU: mixing the two costs accuracy."""

    def forward(self, x: Tensor) -> Tensor:
        return x * torch.sigmoid(1.702 * x)


class LayerNorm(nn.LayerNorm):
    """Layer normalisation computed in float32 whatever the input, because float16 sums overflow."""

    def forward(self, x: Tensor) -> Tensor:
        out = F.layer_norm(x.float(), self.normalized_shape, self.weight.float(), self.bias.float(), self.eps)
        return out.to(x.dtype)


class Attention(nn.Module):
    """Multi-head self-attention with the packed projection of the published weights."""

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.in_proj_weight = nn.Parameter(torch.empty(3 * width, width))
        self.in_proj_bias = nn.Parameter(torch.zeros(3 * width))
        self.out_proj = nn.Linear(width, width)

    def forward(self, x: Tensor, causal: bool, sees: Tensor | None = None, at: Tensor | None = None) -> Tensor:
        """[n, t, w] -> [n, t, w], or [n, r, w] of the places `at` [n, r]. `sees` [t, t] says what each looks at."""
        w = x.shape[2]
        if at is None:
            q, k, v = F.linear(x, self.in_proj_weight, self.in_proj_bias).chunk(3, 2)
        else:
            q = F.linear(_places(x, at), self.in_proj_weight[:w], self.in_proj_bias[:w])
            k, v = F.linear(x, self.in_proj_weight[w:], self.in_proj_bias[w:]).chunk(2, 2)
            if causal and sees is None:
                sees = torch.ones(x.shape[1], x.shape[1], dtype=torch.bool, device=x.device).tril()
            sees = None if sees is None else sees[at][:, None]  # [n, 1, r, t]
        q, k, v = self._split(q), self._split(k), self._split(v)
        mixed = F.scaled_dot_product_attention(q, k, v, attn_mask=sees, is_causal=causal and sees is None)
        out: Tensor = self.out_proj(mixed.transpose(1, 2).flatten(2))
        return out

    def _split(self, x: Tensor) -> Tensor:
        n, t, w = x.shape
        return x.view(n, t, self.heads, w // self.heads).transpose(1, 2)  # [n, heads, t, w/heads]


def _places(x: Tensor, at: Tensor) -> Tensor:
    """[n, t, w] -> [n, r, w]: of each row the places `at` [n, r]."""
    return x.gather(1, at[..., None].expand(-1, -1, x.shape[2]))


class Block(nn.Module):
    """One pre-norm transformer block."""

    def __init__(self, width: int, heads: int, hidden: int, activation: Activation) -> None:
        super().__init__()
        self.attn = Attention(width, heads)
        self.ln_1 = LayerNorm(width)
        act = QuickGELU() if activation == "quickgelu" else nn.GELU()
        fc, proj = nn.Linear(width, hidden), nn.Linear(hidden, width)
        self.mlp = nn.Sequential(OrderedDict[str, nn.Module]([("c_fc", fc), ("gelu", act), ("c_proj", proj)]))
        self.ln_2 = LayerNorm(width)

    def initialise(self, width: int, layers: int) -> None:
        """The released initialisation of the text tower (GPT-2's scheme); ours uses it for the image tower too."""
        residual = width**-0.5 * (2 * layers) ** -0.5
        _normal(self.attn.in_proj_weight, std=width**-0.5)
        _normal(self.attn.out_proj.weight, std=residual)
        nn.init.zeros_(self.attn.out_proj.bias)
        _normal(self.mlp.get_parameter("c_fc.weight"), std=(2 * width) ** -0.5)
        _normal(self.mlp.get_parameter("c_proj.weight"), std=residual)

    def forward(self, x: Tensor, causal: bool, sees: Tensor | None = None, at: Tensor | None = None) -> Tensor:
        """As the attention: [n, t, w] -> [n, t, w], or [n, r, w] of the places `at`."""
        mixed = self.attn(self.ln_1(x), causal, sees, at)
        x = (x if at is None else _places(x, at)) + mixed
        out: Tensor = x + self.mlp(self.ln_2(x))
        return out


class Transformer(nn.Module):
    """A stack of blocks; `causal` forbids looking to the right."""

    def __init__(self, shape: VitShape | TextShape, *, causal: bool, activation: Activation) -> None:
        super().__init__()
        self.causal = causal
        blocks = [Block(shape.width, shape.heads, shape.hidden, activation) for _ in range(shape.layers)]
        for block in blocks:
            block.initialise(shape.width, shape.layers)
        self.resblocks = nn.ModuleList(blocks)

    def forward(self, x: Tensor, at: Tensor, sees: Tensor | None = None) -> Tensor:
        """[n, t, w] -> [n, r, w]: of each row the places `at` [n, r]. `sees` [t, t]: what each looks at."""
        last = len(self.resblocks) - 1
        for number, block in enumerate(self.resblocks):
            x = block(x, self.causal, sees, at if number == last else None)
        return x


class VisionTransformer(nn.Module):
    """Patches and one class token through a transformer; the class token is the picture."""

    def __init__(self, shape: VitShape, image_size: int, embed_dim: int, activation: Activation) -> None:
        super().__init__()
        w, scale = shape.width, shape.width**-0.5
        self.conv1 = nn.Conv2d(3, w, kernel_size=shape.patch, stride=shape.patch, bias=False)
        self.class_embedding = _parameter(w, std=scale)
        self.positional_embedding = _parameter((image_size // shape.patch) ** 2 + 1, w, std=scale)
        self.ln_pre = LayerNorm(w)
        self.transformer = Transformer(shape, causal=False, activation=activation)
        self.ln_post = LayerNorm(w)
        self.proj = _parameter(w, embed_dim, std=scale)

    def forward(self, x: Tensor, project: bool = True) -> Tensor:
        x = self.conv1(x).flatten(2).transpose(1, 2)  # [n, patches, w]
        first = self.class_embedding.to(x.dtype).expand(x.shape[0], 1, -1)
        x = torch.cat([first, x], dim=1) + self.positional_embedding.to(x.dtype)  # [n, 1 + patches, w]
        x = self.transformer(self.ln_pre(x), at=torch.zeros(len(x), 1, dtype=torch.long, device=x.device))
        features: Tensor = self.ln_post(x[:, 0])  # [n, w]
        return features @ self.proj if project else features


class Bottleneck(nn.Module):
    """1x1, 3x3, 1x1 convolutions; a stride is an average pool, on the shortcut too."""

    def __init__(self, channels: int, planes: int, stride: int) -> None:
        super().__init__()
        self.conv1, self.bn1 = nn.Conv2d(channels, planes, 1, bias=False), nn.BatchNorm2d(planes)
        self.conv2, self.bn2 = nn.Conv2d(planes, planes, 3, padding=1, bias=False), nn.BatchNorm2d(planes)
        self.avgpool = nn.AvgPool2d(stride) if stride > 1 else nn.Identity()
        self.conv3, self.bn3 = nn.Conv2d(planes, planes * 4, 1, bias=False), nn.BatchNorm2d(planes * 4)
        self.downsample: nn.Module | None = None
        if stride > 1 or channels != planes * 4:
            parts = [("-1", nn.AvgPool2d(stride)), ("0", nn.Conv2d(channels, planes * 4, 1, bias=False)),
                     ("1", nn.BatchNorm2d(planes * 4))]  # fmt: skip
            self.downsample = nn.Sequential(OrderedDict[str, nn.Module](parts))
        nn.init.zeros_(self.bn3.weight)  # a block starts as the identity

    def forward(self, x: Tensor) -> Tensor:
        shortcut = x if self.downsample is None else self.downsample(x)
        x = F.relu(self.bn1(self.conv1(x)))
        x = self.avgpool(F.relu(self.bn2(self.conv2(x))))
        return F.relu(self.bn3(self.conv3(x)) + shortcut)


class AttentionPool(nn.Module):
    """The mean of all places asks the places: attention instead of average pooling."""

    def __init__(self, places: int, channels: int, heads: int, embed_dim: int) -> None:
        super().__init__()
        std, self.heads = channels**-0.5, heads
        self.positional_embedding = _parameter(places + 1, channels, std=std)
        self.k_proj, self.q_proj = nn.Linear(channels, channels), nn.Linear(channels, channels)
        self.v_proj, self.c_proj = nn.Linear(channels, channels), nn.Linear(channels, embed_dim)
        for layer in (self.k_proj, self.q_proj, self.v_proj, self.c_proj):
            _normal(layer.weight, std=std)

    def forward(self, x: Tensor, project: bool = True) -> Tensor:
        x = x.flatten(2).transpose(1, 2)  # [n, places, c]
        x = torch.cat([x.mean(dim=1, keepdim=True), x], dim=1) + self.positional_embedding.to(x.dtype)
        q, k, v = self._split(self.q_proj(x[:, :1])), self._split(self.k_proj(x)), self._split(self.v_proj(x))
        pooled = F.scaled_dot_product_attention(q, k, v).flatten(1)  # [n, c]
        out: Tensor = self.c_proj(pooled) if project else pooled
        return out

    def _split(self, x: Tensor) -> Tensor:
        n, t, c = x.shape
        return x.view(n, t, self.heads, c // self.heads).transpose(1, 2)  # [n, heads, t, c/heads]


class ModifiedResNet(nn.Module):
    """ResNet with a stem of three convolutions, averaging instead of strides, and an attention pool."""

    def __init__(self, shape: ResNetShape, image_size: int, embed_dim: int) -> None:
        super().__init__()
        w = shape.width
        self.conv1, self.bn1 = nn.Conv2d(3, w // 2, 3, stride=2, padding=1, bias=False), nn.BatchNorm2d(w // 2)
        self.conv2, self.bn2 = nn.Conv2d(w // 2, w // 2, 3, padding=1, bias=False), nn.BatchNorm2d(w // 2)
        self.conv3, self.bn3 = nn.Conv2d(w // 2, w, 3, padding=1, bias=False), nn.BatchNorm2d(w)
        self.layer1 = self._stage(w, w, shape.layers[0], stride=1)
        self.layer2 = self._stage(w * 4, w * 2, shape.layers[1], stride=2)
        self.layer3 = self._stage(w * 8, w * 4, shape.layers[2], stride=2)
        self.layer4 = self._stage(w * 16, w * 8, shape.layers[3], stride=2)
        self.attnpool = AttentionPool((image_size // 32) ** 2, shape.features, shape.heads, embed_dim)

    @staticmethod
    def _stage(channels: int, planes: int, blocks: int, *, stride: int) -> nn.Sequential:
        rest = [Bottleneck(planes * 4, planes, 1) for _ in range(blocks - 1)]
        return nn.Sequential(Bottleneck(channels, planes, stride), *rest)

    def forward(self, x: Tensor, project: bool = True) -> Tensor:
        x = F.relu(self.bn1(self.conv1(x)))
        x = F.relu(self.bn2(self.conv2(x)))
        x = F.avg_pool2d(F.relu(self.bn3(self.conv3(x))), 2)
        x = self.layer4(self.layer3(self.layer2(self.layer1(x))))
        pooled: Tensor = self.attnpool(x, project)
        return pooled


class Clip(nn.Module):
    """The two towers. Features are projected but not normalised; `normalize` them before comparing."""

    def __init__(self, shape: ClipShape) -> None:
        super().__init__()
        self.shape, text = shape, shape.text
        if isinstance(shape.vision, VitShape):
            self.visual: nn.Module = VisionTransformer(
                shape.vision, shape.image_size, shape.embed_dim, shape.activation
            )
        else:
            self.visual = ModifiedResNet(shape.vision, shape.image_size, shape.embed_dim)
        self.transformer = Transformer(text, causal=True, activation=shape.activation)
        words = torch.empty(text.vocab, text.width)
        self.token_embedding = nn.Embedding.from_pretrained(words, freeze=False)  # type: ignore[no-untyped-call]
        self.positional_embedding = _parameter(text.context, text.width, std=0.01)
        self.ln_final = LayerNorm(text.width)
        self.text_projection = _parameter(text.width, shape.embed_dim, std=text.width**-0.5)
        self.logit_scale = nn.Parameter(torch.tensor(math.log(1 / 0.07)))
        self.logit_bias = nn.Parameter(torch.tensor(0.0)) if shape.logit_bias else None
        _normal(self.token_embedding.weight, std=0.02)

    def encode_image(self, pixels: Tensor, *, project: bool = True) -> Tensor:
        """[n, 3, s, s] normalised pixels -> [n, d]; without `project` the features before the last linear map."""
        features: Tensor = self.visual(pixels, project)
        return features

    def project_image(self, features: Tensor) -> Tensor:
        """[n, width] from `encode_image(project=False)` -> [n, d]: the last linear map."""
        if isinstance(self.visual, VisionTransformer):
            return features @ self.visual.proj
        assert isinstance(self.visual, ModifiedResNet)
        projected: Tensor = self.visual.attnpool.c_proj(features)
        return projected

    def encode_text(self, tokens: Tensor, *, project: bool = True) -> Tensor:
        """[n, t] token ids, t <= context, each row with its end token (the largest id) -> [n, d]."""
        x = self.token_embedding(tokens) + self.positional_embedding[: tokens.shape[1]]
        x = self.transformer(x, tokens.argmax(dim=1, keepdim=True))[:, 0]
        features: Tensor = self.ln_final(x)  # [n, w]
        return features @ self.text_projection if project else features

    def encode_tree(self, tokens: Tensor, places: Tensor, sees: Tensor, ends: Tensor) -> Tensor:
        """The same of the texts of a `tree.Tree`: [k] token ids and places, [k, k] and [n] -> [n, d]."""
        x = self.token_embedding(tokens) + self.positional_embedding[places]
        x = self.transformer(x[None], ends[None], sees)[0]
        features: Tensor = self.ln_final(x)  # [n, w]
        return features @ self.text_projection

    def forward(self, pixels: Tensor, tokens: Tensor) -> Tensor:
        """Logits [pictures, texts]: cosine times `exp(logit_scale)`, plus the bias where there is one."""
        images = F.normalize(self.encode_image(pixels), dim=-1)
        texts = F.normalize(self.encode_text(tokens), dim=-1)
        logits = self.logit_scale.exp() * images @ texts.T
        return logits if self.logit_bias is None else logits + self.logit_bias
