"""Images a second through torchvision's loader: Pillow decode, random resized crop, flip, to float tensor, normalise, batches of 64; FILTER "dino" stands
for the ten views of DINO instead: two large crops and eight of 96 pixels, with jitter, grayscale, blur and solarisation.

Usage: python3 torchvision_loading.py FOLDER CROP-SIZE WORKERS FILTER IMAGES
Prints images a second, and images a second of processor time (the workers' and this process's). An epoch to warm up comes first; what is
timed is all of the second, from asking for it to its last batch.
"""
import os
import random
import sys
import time

import torch
from PIL import Image, ImageFilter
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


class Blurred:
    """Gaussian blur of a drawn deviation, for some of the images."""

    def __init__(self, chance):
        self.chance = chance

    def __call__(self, image):
        return image.filter(ImageFilter.GaussianBlur(random.uniform(0.1, 2.0))) if random.random() < self.chance else image


class Views:
    """DINO's views of an image, as a list of tensors."""

    def __init__(self, size):
        bicubic = transforms.InterpolationMode.BICUBIC
        colours = [
            transforms.RandomHorizontalFlip(0.5),
            transforms.RandomApply([transforms.ColorJitter(0.4, 0.4, 0.2, 0.1)], p=0.8),
            transforms.RandomGrayscale(p=0.2),
        ]
        end = [transforms.ToTensor(), transforms.Normalize(MEAN, STD)]
        large = transforms.RandomResizedCrop(size, scale=(0.25, 1.0), interpolation=bicubic)
        small = transforms.RandomResizedCrop(96, scale=(0.05, 0.25), interpolation=bicubic)
        self.first = transforms.Compose([large, *colours, Blurred(1.0), *end])
        self.second = transforms.Compose([large, *colours, Blurred(0.1), transforms.RandomSolarize(128, p=0.2), *end])
        self.local = transforms.Compose([small, *colours, Blurred(0.5), *end])

    def __call__(self, image):
        return [self.first(image), self.second(image), *(self.local(image) for _ in range(8))]


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
    if kernel == "dino":
        run(folder, count, workers, Views(size))
        return
    mode = {"bilinear": transforms.InterpolationMode.BILINEAR, "bicubic": transforms.InterpolationMode.BICUBIC}[kernel]
    transform = transforms.Compose([
        transforms.RandomResizedCrop(size, scale=(0.3, 1.0), ratio=(3 / 4, 4 / 3), interpolation=mode, antialias=True),
        transforms.RandomHorizontalFlip(),
        transforms.ToTensor(),
        transforms.Normalize(MEAN, STD),
    ])
    run(folder, count, workers, transform)


def run(folder, count, workers, transform):
    loader = torch.utils.data.DataLoader(
        Files(folder, count, transform), batch_size=64, shuffle=True, drop_last=True, num_workers=workers, persistent_workers=True)
    for _ in loader:
        pass
    busy, begun, images = worked(loader), time.perf_counter(), 0
    for _, numbers in loader:
        images += len(numbers)
    elapsed = time.perf_counter() - begun
    print(f"{images / elapsed:.1f} {images / (worked(loader) - busy):.1f}")


if __name__ == "__main__":
    main()
