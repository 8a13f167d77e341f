"""A training step of DINO in plain PyTorch: two large views for the teacher, these and the small ones for the student, a head of many outputs.

    dino_step.py --model vit_small --image 224 --patch 16 --batch 4 --local 8 --local-size 96 --outputs 65536 --precision fp32 --steps 6
"""
import copy

import torch
import torch.nn as nn
import torch.nn.functional as F

from step_timing import arguments, measure
from vision_transformer import SIZES, Encoder


class Head(nn.Module):
    def __init__(self, width, outputs):
        super().__init__()
        self.mlp = nn.Sequential(nn.Linear(width, 2048), nn.GELU(), nn.Linear(2048, 2048), nn.GELU(), nn.Linear(2048, 256))
        self.last = nn.utils.parametrizations.weight_norm(nn.Linear(256, outputs, bias=False))
        self.last.parametrizations.weight.original0.data.fill_(1)
        self.last.parametrizations.weight.original0.requires_grad = False

    def forward(self, x):
        return self.last(F.normalize(self.mlp(x), dim=-1))


class Network(nn.Module):
    def __init__(self, o):
        super().__init__()
        width, depth, heads = SIZES[o.model]
        self.encoder = Encoder(o.image, o.patch, width, o.depth or depth, heads, o.attention)
        self.head = Head(width, o.outputs)

    def forward(self, sizes):
        return self.head(torch.cat([self.encoder(images)[:, 0] for images in sizes]))


def main():
    o = arguments(local=8, local_size=96, outputs=65536, depth=0)
    student = Network(o)
    teacher = copy.deepcopy(student).requires_grad_(False)
    center = torch.zeros(1, o.outputs)
    learned = [p for p in student.parameters() if p.requires_grad]
    optimizer = torch.optim.AdamW(learned, lr=1e-4, weight_decay=0.04, fused=True)

    def step(views):
        nonlocal center
        with torch.no_grad():
            told = teacher(views[:1]).float()
            wanted = torch.softmax((told - center) / 0.04, dim=-1).chunk(2)
            center = 0.9 * center + 0.1 * told.mean(0, keepdim=True)
        said = [part.float() / 0.1 for part in student(views).chunk(2 + o.local)]
        pairs = [(w, s) for i, w in enumerate(wanted) for j, s in enumerate(said) if i != j]
        loss = sum(-(w * F.log_softmax(s, dim=-1)).sum(-1).mean() for w, s in pairs) / len(pairs)
        loss.backward()
        for p in learned:
            nn.utils.clip_grad_norm_([p], 3.0)
        optimizer.step()
        optimizer.zero_grad()
        with torch.no_grad():
            torch._foreach_lerp_(list(teacher.parameters()), list(student.parameters()), 0.004)
        return loss.detach()

    def make():
        large, small = 2 * o.batch, o.local * o.batch
        return [torch.randn(large, 3, o.image, o.image), torch.randn(small, 3, o.local_size, o.local_size)]

    measure(o, make, step)


if __name__ == "__main__":
    main()
