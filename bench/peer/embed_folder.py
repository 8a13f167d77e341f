#!/usr/bin/env python3
"""Embeds a folder of JPEG files with a plain Vision Transformer in PyTorch, the way a careful user would, and prints one JSON line.

    embed_folder.py --data FOLDER --model vit_small --precision bf16 --out FILE.npy

Resize to 256 (bicubic), cut out 224 x 224 from the centre, normalise; patch 16, no class token, mean over the patches' outputs. Loading runs in worker
processes beside the computation, inference mode, autocast for bf16. Weights are random: only the time counts. The seconds are those of the whole
process from its start to the written file; those from the first image on are printed too.
"""
import argparse
import json
import pathlib
import resource
import time

START = time.time()
import numpy as np
import torch
from PIL import Image
from torch import nn
from torch.nn import functional as F
from torchvision import transforms

SIZES = dict(vit_tiny=(192, 12, 3), vit_small=(384, 12, 6), vit_base=(768, 12, 12))


class Folder(torch.utils.data.Dataset):
    def __init__(self, folder):
        self.files = sorted(p for p in pathlib.Path(folder).iterdir() if p.suffix.lower() in ('.jpg', '.jpeg'))
        self.transform = transforms.Compose([
            transforms.Resize(256, interpolation=transforms.InterpolationMode.BICUBIC), transforms.CenterCrop(224), transforms.ToTensor(),
            transforms.Normalize((0.485, 0.456, 0.406), (0.229, 0.224, 0.225))])

    def __len__(self):
        return len(self.files)

    def __getitem__(self, index):
        with Image.open(self.files[index]) as image:
            return self.transform(image.convert('RGB'))


class Layer(nn.Module):
    def __init__(self, width, heads, attention):
        super().__init__()
        self.heads, self.attention = heads, attention
        self.before_attention, self.before_mlp = nn.LayerNorm(width, eps=1e-6), nn.LayerNorm(width, eps=1e-6)
        self.in_projection, self.out_projection = nn.Linear(width, 3 * width), nn.Linear(width, width)
        self.mlp = nn.Sequential(nn.Linear(width, 4 * width), nn.GELU(), nn.Linear(4 * width, width))

    def attend(self, x):
        images, tokens, width = x.shape
        q, k, v = self.in_projection(x).view(images, tokens, 3, self.heads, -1).permute(2, 0, 3, 1, 4)
        if self.attention == 'sdpa':
            mixed = F.scaled_dot_product_attention(q, k, v)
        else:
            mixed = torch.softmax(q @ k.mT * q.shape[-1] ** -0.5, dim=-1) @ v
        return self.out_projection(mixed.transpose(1, 2).reshape(images, tokens, width))

    def forward(self, x):
        x = x + self.attend(self.before_attention(x))
        return x + self.mlp(self.before_mlp(x))


class Encoder(nn.Module):
    def __init__(self, width, depth, heads, attention):
        super().__init__()
        self.patches = nn.Conv2d(3, width, 16, 16)
        self.positions = nn.Parameter(torch.randn(1, 196, width) * 0.02)
        self.layers = nn.Sequential(*(Layer(width, heads, attention) for _ in range(depth)))
        self.norm = nn.LayerNorm(width, eps=1e-6)

    def forward(self, images):
        return self.norm(self.layers(self.patches(images).flatten(2).mT + self.positions))


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument('--data', required=True)
    parser.add_argument('--out', required=True)
    parser.add_argument('--model', choices=SIZES, default='vit_small')
    parser.add_argument('--precision', choices=['fp32', 'bf16'], default='bf16')
    parser.add_argument('--attention', choices=['sdpa', 'naive'], default='naive', help='naive is the faster one on some CPUs')
    parser.add_argument('--batch', type=int, default=32)
    parser.add_argument('--workers', type=int, default=1)
    a = parser.parse_args()
    encoder = Encoder(*SIZES[a.model], a.attention).eval()
    loader = torch.utils.data.DataLoader(Folder(a.data), batch_size=a.batch, num_workers=a.workers)
    vectors, begun = [], time.time()
    with torch.inference_mode(), torch.autocast('cpu', torch.bfloat16, enabled=a.precision == 'bf16'):
        for images in loader:
            vectors.append(encoder(images).float().mean(1).numpy())
    np.save(a.out, np.concatenate(vectors))
    end, count = time.time(), sum(map(len, vectors))
    print(json.dumps(dict(
        model=a.model, precision=a.precision, images=count, seconds=round(end - START, 3), images_per_second=round(count / (end - START), 2),
        seconds_from_first_image=round(end - begun, 3), peak_rss_mb=resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024)))


if __name__ == '__main__':
    main()
