"""Makes the odd pictures of this folder with Pillow 13. They are committed; this says how they came to be."""
import struct, zlib
from pathlib import Path
from PIL import Image
import numpy as np

HERE = Path(__file__).parent
# Left half leaf green, right half soil; 24 wide, 16 high.
rgb = np.zeros((16, 24, 3), np.uint8)
rgb[:, :12], rgb[:, 12:] = (60, 140, 50), (130, 110, 90)
upright = Image.fromarray(rgb)
upright.save(HERE / "upright.png")
Image.fromarray((rgb[:, :, 1].astype(np.uint16) * 257)).save(HERE / "grey16.png")
upright.convert("L").save(HERE / "grey.jpg", quality=95)
upright.convert("CMYK").save(HERE / "cmyk.jpg", quality=95)
exif = Image.Exif()
exif[0x0112] = 6  # shown turned by 90° clockwise
upright.transpose(Image.Transpose.ROTATE_90).save(HERE / "exif_turned.jpg", quality=95, exif=exif)

def chunk(kind, data):
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

# A header that promises a terapixel, and nothing behind it.
header = struct.pack(">IIBBBBB", 1_000_000, 1_000_000, 8, 2, 0, 0, 0)
terapixel = b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(b"\0" * 100)) + chunk(b"IEND", b"")
(HERE / "terapixel.png").write_bytes(terapixel)
whole = (HERE / "upright.png").read_bytes()
(HERE / "cut_off.png").write_bytes(whole[: len(whole) // 2])
Image.new("1", (10_000, 10_000)).save(HERE / "hundred_megapixels.png", optimize=True)
