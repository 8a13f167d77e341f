"""Images a second through torchvision's loader: Pillow decode, random resized crop, flip, to float tensor, normalise, batches of 64.

Usage: python3 torchvision_loading.py FOLDER CROP-SIZE WORKERS FILTER IMAGES
Prints images a second, and images a second of processor time (the workers' and this process's). An epoch to warm up comes first; what is
timed is all of the second, from asking for it to its last batch.
"""
import os
import sys
import time

import torch
from PIL import Image
from torchvision import transforms

MEAN, STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)


class Files(torch.utils.data.Dataset):
    """Every .jpg below a folder, the first ones again where there are too few."""

    def __init__(self, folder, count, transform):
        found = sorted(os.path.join(d, n) for d, _, names in os.walk(folder) for n in names if n.endswith(".jpg"))
        self.files = [found[i % len(found)] for i in range(count)]
        self.transform = transform

    def __len__(self):
        return len(self.files)

    def __getitem__(self, index):
        with open(self.files[index], "rb") as file:
            return self.transform(Image.open(file).convert("RGB")), index


def worked(loader):
    """Seconds of processor time of this process and of the loader's workers."""
    total = time.process_time()
    for worker in loader._iterator._workers:
        with open(f"/proc/{worker.pid}/stat") as file:
            user, system = file.read().rsplit(")", 1)[1].split()[11:13]
        total += (int(user) + int(system)) / os.sysconf("SC_CLK_TCK")
    return total


def main():
    folder, size, workers, kernel, count = sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), sys.argv[4], int(sys.argv[5])
    torch.set_num_threads(1)
    mode = {"bilinear": transforms.InterpolationMode.BILINEAR, "bicubic": transforms.InterpolationMode.BICUBIC}[kernel]
    transform = transforms.Compose([
        transforms.RandomResizedCrop(size, scale=(0.3, 1.0), ratio=(3 / 4, 4 / 3), interpolation=mode, antialias=True),
        transforms.RandomHorizontalFlip(),
        transforms.ToTensor(),
        transforms.Normalize(MEAN, STD),
    ])
    loader = torch.utils.data.DataLoader(
        Files(folder, count, transform), batch_size=64, shuffle=True, drop_last=True, num_workers=workers, persistent_workers=True)
    for _ in loader:
        pass
    busy, begun, images = worked(loader), time.perf_counter(), 0
    for batch, _ in loader:
        images += len(batch)
    elapsed = time.perf_counter() - begun
    print(f"{images / elapsed:.1f} {images / (worked(loader) - busy):.1f}")


if __name__ == "__main__":
    main()
