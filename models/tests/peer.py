#!/usr/bin/env python3
"""Foreign implementations beside ours: PyPI onnxruntime, onnx.checker, scikit-learn. Called by tests/figures/recognition."""
import json
import sys
import time
from pathlib import Path

import numpy as np
from PIL import Image


def frame(path):
    """Leaves on grained soil, 512x512."""
    rng = np.random.default_rng(5)
    picture = np.array([120, 100, 80]) + rng.normal(0, 12, (512, 512, 3))
    y, x = np.mgrid[:512, :512]
    for cx, cy, radius in ((100, 120, 40), (300, 200, 60), (420, 400, 30), (180, 400, 50)):
        leaf = ((x - cx) / radius) ** 2 + ((y - cy) / (0.6 * radius)) ** 2 < 1
        picture[leaf] = np.array([70, 150, 50]) + rng.normal(0, 8, (int(leaf.sum()), 3))
    Image.fromarray(picture.clip(0, 255).astype(np.uint8)).save(path)


def run(model, path, repeat):
    """Picture to class and confidence as our segmenter makes them, with the library's own speed tricks left on."""
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    session = onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])
    picture = np.asarray(Image.open(path).convert("RGB"))

    def once():
        brightness = picture.sum(axis=2, dtype=np.uint16) // 3
        median, white = np.quantile(brightness, 0.5) / 255, np.quantile(brightness, 0.995) / 255
        gain = min(max(1 / max(white, 1e-3), 1), 16)
        exponent = np.clip(np.log(0.45) / np.log(np.clip(median * gain, 0.01, 0.99)), 0.5, 1.3)
        table = (np.minimum(np.arange(256) / 255 * gain, 1) ** exponent).astype(np.float32)
        planes = np.ascontiguousarray(table[picture].transpose(2, 0, 1))[None]
        scores = session.run(None, {session.get_inputs()[0].name: planes})[0][0]
        classes = scores.argmax(axis=0).astype(np.uint8)
        confidence = 1 / np.exp(scores - scores.max(axis=0)).sum(axis=0)
        return classes, (confidence * 255).astype(np.uint8)

    once()
    times = []
    for _ in range(repeat):
        started = time.perf_counter()
        once()
        times.append(1000 * (time.perf_counter() - started))
    return {"median_ms": float(np.median(times))}


def check(*models):
    import onnx

    verdicts = {}
    for path in models:
        try:
            onnx.checker.check_model(onnx.load(path), full_check=True)
            verdicts[Path(path).name] = "accepted"
        except onnx.checker.ValidationError as error:
            verdicts[Path(path).name] = str(error)
    return verdicts


def maps(truth, seen, count):
    rng = np.random.default_rng(11)
    for folder in (truth, seen):
        Path(folder).mkdir()
    for number in range(count):
        height, width = rng.integers(1, 40, 2)
        ids = np.array([0, 1, 2, 3, 4, 255], dtype=np.uint8)[: rng.integers(2, 7)]
        there = rng.choice(ids, (height, width))
        found = np.where(rng.random((height, width)) < 0.6, there % 5, rng.integers(0, 5, (height, width)))
        Image.fromarray(there).save(Path(truth) / f"{number:04}.png")
        Image.fromarray(found.astype(np.uint8)).save(Path(seen) / f"{number:04}.png")


def score(truth, seen, pairs):
    """Our confusion and IoU of every pair against scikit-learn's."""
    from sklearn.metrics import confusion_matrix, jaccard_score

    ours, largest = json.loads(Path(pairs).read_text()), 0.0
    for name, pair in ours.items():
        there, found = (np.asarray(Image.open(Path(folder) / name)).ravel() for folder in (truth, seen))
        there, found = there[there != 255], found[there != 255]
        table = confusion_matrix(there, found, labels=range(5)) if len(there) else np.zeros((5, 5))
        largest = max(largest, float(np.abs(table - np.array(pair["confusion"])).max()))
        for label, value in enumerate(pair["iou"]):
            if value is not None:
                theirs = jaccard_score(there == label, found == label, zero_division=0)
                largest = max(largest, abs(theirs - value))
    return {"maps": len(ours), "largest_difference": largest}


def main():
    command, *rest = sys.argv[1:]
    if command == "frame":
        frame(*rest)
    elif command == "maps":
        maps(rest[0], rest[1], int(rest[2]))
    else:
        answer = run(rest[0], rest[1], int(rest[2])) if command == "run" else {"check": check, "score": score}[command](*rest)
        print(json.dumps(answer))


if __name__ == "__main__":
    main()
