"""A training step of RCDM's decoder in plain PyTorch: a U-Net that is told a representation and predicts the clean picture.

    rcdm_step.py --image 32 --channels 32 --condition 128 --batch 32 --steps 6
"""
import copy
import math

import torch
import torch.nn as nn
import torch.nn.functional as F

from step_timing import arguments, measure

MULTIPLIERS, BLOCKS, ATTENDED, HEADS, GROUPS, NOISE_STEPS = (1, 2, 2), 1, (8,), 4, 32, 1000


class Residual(nn.Module):
    """Two convolutions with the embedding's scale and shift between them; `resize` is "up", "down" or None."""

    def __init__(self, inputs, outputs, embedding, resize=None):
        super().__init__()
        self.resize = resize
        self.before, self.first = nn.GroupNorm(GROUPS, inputs), nn.Conv2d(inputs, outputs, 3, padding=1)
        self.told = nn.Linear(embedding, 2 * outputs)
        self.between, self.second = nn.GroupNorm(GROUPS, outputs), nn.Conv2d(outputs, outputs, 3, padding=1)
        self.skip = nn.Identity() if inputs == outputs else nn.Conv2d(inputs, outputs, 1)

    def sized(self, x):
        if self.resize == "up":
            return F.interpolate(x, scale_factor=2.0, mode="nearest")
        return F.avg_pool2d(x, 2) if self.resize == "down" else x

    def forward(self, x, embedding):
        h = self.first(self.sized(F.silu(self.before(x))))
        scale, shift = self.told(F.silu(embedding))[:, :, None, None].chunk(2, dim=1)
        h = self.second(F.silu(self.between(h) * (1 + scale) + shift))
        return self.skip(self.sized(x)) + h


class Attention(nn.Module):
    def __init__(self, channels):
        super().__init__()
        self.norm = nn.GroupNorm(GROUPS, channels)
        self.asked, self.out = nn.Conv1d(channels, 3 * channels, 1), nn.Conv1d(channels, channels, 1)

    def forward(self, x, _):
        b, c, h, w = x.shape
        q, k, v = self.asked(self.norm(x).flatten(2)).reshape(b * HEADS, 3 * c // HEADS, h * w).chunk(3, dim=1)
        scale = (c // HEADS) ** -0.25
        weights = torch.softmax(torch.einsum("nct,ncs->nts", q * scale, k * scale), dim=-1)
        told = torch.einsum("nts,ncs->nct", weights, v).reshape(b, c, h * w)
        return x + self.out(told).reshape(x.shape)


class Decoder(nn.Module):
    def __init__(self, image, base, condition):
        super().__init__()
        self.base, embedding = base, 4 * base
        self.time = nn.Sequential(nn.Linear(base, embedding), nn.SiLU(), nn.Linear(embedding, embedding))
        self.condition = nn.Linear(condition, embedding)
        self.first = nn.Conv2d(3, base, 3, padding=1)
        self.down, self.up, kept, side, width = nn.ModuleList(), nn.ModuleList(), [base], image, base
        for level, multiplier in enumerate(MULTIPLIERS):
            for _ in range(BLOCKS):
                parts = [Residual(width, multiplier * base, embedding)]
                width = multiplier * base
                if side in ATTENDED:
                    parts.append(Attention(width))
                self.down.append(nn.ModuleList(parts))
                kept.append(width)
            if level < len(MULTIPLIERS) - 1:
                self.down.append(nn.ModuleList([Residual(width, width, embedding, "down")]))
                kept.append(width)
                side //= 2
        self.middle = nn.ModuleList([Residual(width, width, embedding), Attention(width), Residual(width, width, embedding)])
        for level, multiplier in reversed(list(enumerate(MULTIPLIERS))):
            for i in range(BLOCKS + 1):
                parts = [Residual(width + kept.pop(), multiplier * base, embedding)]
                width = multiplier * base
                if side in ATTENDED:
                    parts.append(Attention(width))
                if level and i == BLOCKS:
                    parts.append(Residual(width, width, embedding, "up"))
                    side *= 2
                self.up.append(nn.ModuleList(parts))
        self.last = nn.Sequential(nn.GroupNorm(GROUPS, width), nn.SiLU(), nn.Conv2d(width, 3, 3, padding=1))

    def forward(self, x, t, condition):
        half = self.base // 2
        angles = t[:, None].float() * torch.exp(-math.log(10000) * torch.arange(half) / half)
        embedding = self.time(torch.cat([angles.cos(), angles.sin()], dim=1)) + self.condition(condition)
        h = self.first(x)
        kept = [h]
        for parts in self.down:
            for part in parts:
                h = part(h, embedding)
            kept.append(h)
        for part in self.middle:
            h = part(h, embedding)
        for parts in self.up:
            h = torch.cat([h, kept.pop()], dim=1)
            for part in parts:
                h = part(h, embedding)
        return self.last(h)


def main():
    o = arguments(channels=32, condition=128)
    decoder = Decoder(o.image, o.channels, o.condition)
    average = copy.deepcopy(decoder).requires_grad_(False)
    optimizer = torch.optim.AdamW(decoder.parameters(), lr=1e-3, weight_decay=0.0, fused=True)
    keep = torch.cumprod(1 - torch.linspace(1e-4, 0.02, NOISE_STEPS, dtype=torch.float64), 0)

    def step(given):
        pictures, conditions = given
        t, noise = torch.randint(0, NOISE_STEPS, (len(pictures),)), torch.randn_like(pictures)
        a = keep[t].float()[:, None, None, None]
        loss = F.mse_loss(decoder(a.sqrt() * pictures + (1 - a).sqrt() * noise, t, conditions), pictures)
        loss.backward()
        nn.utils.clip_grad_norm_(decoder.parameters(), 1.0)
        optimizer.step()
        optimizer.zero_grad()
        with torch.no_grad():
            torch._foreach_lerp_(list(average.parameters()), list(decoder.parameters()), 0.001)
        return loss.detach()

    measure(o, lambda: (torch.rand(o.batch, 3, o.image, o.image) * 2 - 1, torch.randn(o.batch, o.condition)), step)


if __name__ == "__main__":
    main()
