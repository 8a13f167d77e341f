"""A Vision Transformer in plain PyTorch, as the peers of this folder use it: pre-norm blocks, one product for queries, keys and values."""
import torch
import torch.nn as nn
import torch.nn.functional as F

SIZES = {"vit_tiny": (192, 12, 3), "vit_small": (384, 12, 6), "vit_base": (768, 12, 12)}


class Block(nn.Module):
    def __init__(self, width, heads, attention):
        super().__init__()
        self.heads, self.attention = heads, attention
        self.norm1, self.norm2 = nn.LayerNorm(width, 1e-6), nn.LayerNorm(width, 1e-6)
        self.qkv, self.proj = nn.Linear(width, 3 * width), nn.Linear(width, width)
        self.fc1, self.fc2 = nn.Linear(width, 4 * width), nn.Linear(4 * width, width)

    def forward(self, x):
        images, tokens, width = x.shape
        parts = self.qkv(self.norm1(x)).view(images, tokens, 3, self.heads, width // self.heads)
        q, k, v = (parts[:, :, i].transpose(1, 2) for i in range(3))
        if self.attention == "sdpa":
            mixed = F.scaled_dot_product_attention(q, k, v)
        else:
            mixed = torch.softmax(q @ k.transpose(2, 3) * (width // self.heads) ** -0.5, dim=-1) @ v
        x = x + self.proj(mixed.transpose(1, 2).reshape(images, tokens, width))
        return x + self.fc2(F.gelu(self.fc1(self.norm2(x))))


class Encoder(nn.Module):
    """Class token first; positions are learned, and resized for images of another side."""

    def __init__(self, image, patch, width, depth, heads, attention):
        super().__init__()
        self.side = image // patch
        self.patches = nn.Conv2d(3, width, patch, patch)
        self.token = nn.Parameter(torch.randn(1, 1, width) * 0.02)
        self.positions = nn.Parameter(torch.randn(1, 1 + self.side**2, width) * 0.02)
        self.blocks = nn.ModuleList(Block(width, heads, attention) for _ in range(depth))
        self.norm = nn.LayerNorm(width, 1e-6)

    def place(self, side):
        if side == self.side:
            return self.positions
        own = self.positions[:, 1:].unflatten(1, (self.side, self.side)).permute(0, 3, 1, 2)
        resized = F.interpolate(own, size=(side, side), mode="bicubic").flatten(2).transpose(1, 2)
        return torch.cat([self.positions[:, :1], resized], dim=1)

    def forward(self, images, keep=None):
        grid = self.patches(images)
        places = self.place(grid.shape[-1])
        x = grid.flatten(2).transpose(1, 2) + places[:, 1:]
        if keep is not None:
            x = x.gather(1, keep.unsqueeze(-1).expand(-1, -1, x.shape[-1]))
        x = torch.cat([(self.token + places[:, :1]).expand(len(x), -1, -1), x], dim=1)
        for block in self.blocks:
            x = block(x)
        return self.norm(x)
