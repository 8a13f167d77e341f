"""What transformers makes of folders that `jepa export --to huggingface` wrote, beside what `jepa embed` makes of them.

    huggingface_features.py IMAGES FOLDER EMBEDDING.npy [FOLDER EMBEDDING.npy ...]

IMAGES holds images that are square and of the model's side already, so that nothing is resized. EMBEDDING.npy is of
`jepa embed --weights FOLDER --data IMAGES --out EMBEDDING.npy --transform squash --pool none`: each image's patches [N, D].
"""
import json
import pathlib
import sys

import numpy as np
import torch
import transformers
from PIL import Image


def tokens(folder, pixels):
    """The patches' outputs after the final norm. [B, N, D]"""
    kind = json.loads((folder / "config.json").read_text())["model_type"]
    more = {"add_pooling_layer": False} if kind in ("vit", "data2vec-vision") else {}
    model = transformers.AutoModel.from_pretrained(folder, **more).eval()
    if kind == "vit_mae":
        noise = torch.arange(model.config.image_size**2 // model.config.patch_size**2).expand(len(pixels), -1).float()
        said = model(pixel_values=pixels, noise=noise)
        order = said.ids_restore.unsqueeze(-1).expand(-1, -1, said.last_hidden_state.shape[-1])
        return kind, said.last_hidden_state[:, 1:].gather(1, order)
    said = model(pixel_values=pixels).last_hidden_state
    return kind, said if kind == "ijepa" else said[:, 1:]


def main():
    images, rest = pathlib.Path(sys.argv[1]), sys.argv[2:]
    for folder, embedding in zip(rest[::2], rest[1::2]):
        folder, ours = pathlib.Path(folder), np.load(embedding)
        processor = transformers.AutoImageProcessor.from_pretrained(folder)
        opened = [Image.open(path).convert("RGB") for path in sorted(images.iterdir())]
        pixels = processor(opened, return_tensors="pt", do_resize=False)["pixel_values"]
        with torch.inference_mode():
            kind, theirs = tokens(folder, pixels)
        theirs = theirs.numpy().reshape(ours.shape)
        print(f"{kind}: transformers {transformers.__version__}, {ours.shape}: largest difference {abs(theirs - ours).max():.2g} of numbers up to "
              f"{abs(ours).max():.2g}")


if __name__ == "__main__":
    main()
