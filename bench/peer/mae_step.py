"""A training step of MAE in plain PyTorch: a quarter of the patches through the encoder, all of them through the decoder, normalised pixels as targets.

    mae_step.py --model vit_base --image 224 --patch 16 --batch 16 --decoder-dim 512 --decoder-depth 8 --decoder-heads 16 --precision fp32 --steps 6
"""
import torch
import torch.nn as nn

from step_timing import arguments, measure
from vision_transformer import SIZES, Block, Encoder


class Autoencoder(nn.Module):
    def __init__(self, o):
        super().__init__()
        width, depth, heads = SIZES[o.model]
        self.patch, self.encoder = o.patch, Encoder(o.image, o.patch, width, depth, heads, o.attention)
        self.into = nn.Linear(width, o.decoder_dim)
        self.mask = nn.Parameter(torch.randn(1, 1, o.decoder_dim) * 0.02)
        self.positions = nn.Parameter(torch.randn(1, 1 + (o.image // o.patch) ** 2, o.decoder_dim) * 0.02, requires_grad=False)
        self.blocks = nn.ModuleList(Block(o.decoder_dim, o.decoder_heads, o.attention) for _ in range(o.decoder_depth))
        self.norm, self.out = nn.LayerNorm(o.decoder_dim, 1e-6), nn.Linear(o.decoder_dim, 3 * o.patch**2)

    def loss(self, images):
        side, p = images.shape[-1] // self.patch, self.patch
        count = side * side
        order = torch.rand(len(images), count).argsort(dim=1)
        back, kept = order.argsort(dim=1), count // 4
        seen = self.into(self.encoder(images, order[:, :kept]))
        tokens = torch.cat([seen[:, 1:], self.mask.to(seen.dtype).expand(len(images), count - kept, -1)], dim=1)
        tokens = tokens.gather(1, back.unsqueeze(-1).expand(-1, -1, tokens.shape[-1]))
        x = torch.cat([seen[:, :1], tokens], dim=1) + self.positions
        for block in self.blocks:
            x = block(x)
        guessed = self.out(self.norm(x))[:, 1:].float()
        truth = images.unfold(2, p, p).unfold(3, p, p).permute(0, 2, 3, 4, 5, 1).reshape(len(images), count, -1)
        truth = (truth - truth.mean(-1, keepdim=True)) / (truth.var(-1, keepdim=True) + 1e-6).sqrt()
        hidden = (back >= kept).float()
        return (((guessed - truth) ** 2).mean(-1) * hidden).sum() / hidden.sum()


def main():
    o = arguments(decoder_dim=512, decoder_depth=8, decoder_heads=16)
    model = Autoencoder(o)
    optimizer = torch.optim.AdamW(
        [p for p in model.parameters() if p.requires_grad], lr=1e-4, betas=(0.9, 0.95), weight_decay=0.05, fused=True)

    def step(images):
        loss = model.loss(images)
        loss.backward()
        optimizer.step()
        optimizer.zero_grad()
        return loss.detach()

    measure(o, lambda: torch.randn(o.batch, 3, o.image, o.image), step)


if __name__ == "__main__":
    main()
