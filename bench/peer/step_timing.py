"""What the peers of this folder share: the options of a step, and the line that they print."""
import argparse
import json
import resource
import statistics
import time

import torch

from vision_transformer import SIZES


def arguments(**more):
    parser = argparse.ArgumentParser()
    parser.add_argument("--model", default="vit_small", choices=SIZES)
    parser.add_argument("--image", type=int, default=224)
    parser.add_argument("--patch", type=int, default=16)
    parser.add_argument("--batch", type=int, default=16)
    parser.add_argument("--steps", type=int, default=6)
    parser.add_argument("--precision", default="fp32", choices=["fp32", "bf16"])
    parser.add_argument("--attention", default="naive", choices=["naive", "sdpa"])
    for name, value in more.items():
        parser.add_argument("--" + name.replace("_", "-"), type=int, default=value)
    return parser.parse_args()


def measure(options, make, step):
    """Two steps to warm up, then those that count; `make` gives a step's images and is not timed."""
    times = []
    for _ in range(options.steps + 2):
        images = make()
        begun = time.perf_counter()
        with torch.autocast("cpu", torch.bfloat16, enabled=options.precision == "bf16"):
            loss = step(images)
        times.append(time.perf_counter() - begun)
    counted = times[2:]
    print(json.dumps({
        "peer": "pytorch " + torch.__version__, **vars(options), "threads": torch.get_num_threads(),
        "seconds_per_step": round(statistics.median(counted), 4), "min_step": round(min(counted), 4),
        "peak_rss_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024, "loss": float(loss),
    }))
