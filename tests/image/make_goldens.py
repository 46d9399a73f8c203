"""Writes goldens.h: what Pillow gives for the pictures that resize_test.cpp and read_write_test.cpp make or hold.

python3 -m venv v && v/bin/pip install pillow==11.3.0 numpy && v/bin/python make_goldens.py > goldens.h
"""
import base64
import io
import struct
import zlib

import numpy as np
from PIL import Image, ImageOps


def noise(width, height, channels):
    """The bytes of noise() in helpers.h: the high byte of a linear congruential generator."""
    state, out = 1, bytearray()
    for _ in range(width * height * channels):
        state = (state * 1664525 + 1013904223) & 0xFFFFFFFF
        out.append(state >> 24)
    return np.frombuffer(bytes(out), np.uint8).reshape(height, width, channels)


def picture(width, height, channels):
    array = noise(width, height, channels)
    return Image.fromarray(array[..., 0] if channels == 1 else array)


def fnv(array):
    value = 0xCBF29CE484222325
    for byte in np.asarray(array).tobytes():
        value = ((value ^ byte) * 0x100000001B3) & 0xFFFFFFFFFFFFFFFF
    return f"0x{value:016x}"


FILTERS = {"nearest": Image.NEAREST, "box": Image.BOX, "bilinear": Image.BILINEAR, "lanczos": Image.LANCZOS}
RESIZES = [(1, 1, 5, 3), (7, 1, 1, 4), (13, 17, 16, 8), (13, 17, 40, 9), (64, 48, 24, 24), (33, 65, 128, 64),
           (100, 75, 64, 64), (5, 200, 8, 8), (31, 31, 62, 62)]


def resizes():
    for channels in (1, 3, 4):
        for width, height, to_width, to_height in RESIZES:
            source = picture(width, height, channels)
            for name, kind in FILTERS.items():
                if channels != 3 and name in ("nearest", "box"):
                    continue
                result = source.resize((to_width, to_height), kind)
                print(f"    {{{channels}, {width}, {height}, {to_width}, {to_height}, Filter::{name}, {fnv(result)}}},")


def saved(image, kind, **options):
    out = io.BytesIO()
    image.save(out, kind, **options)
    return out.getvalue()


def png_by_hand(depth, colour, height, width, rows, interlace=0):
    def chunk(name, data):
        return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))

    header = struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, interlace)
    data = zlib.compress(b"".join(b"\0" + row for row in rows))
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", data) + chunk(b"IEND", b"")


def adam7(array):
    """The rows of the seven passes of a grey interlaced PNG."""
    passes = ((0, 0, 8, 8), (0, 4, 8, 8), (4, 0, 8, 4), (0, 2, 4, 4), (2, 0, 4, 2), (0, 1, 2, 2), (1, 0, 2, 1))
    for top, left, down, across in passes:
        part = array[top::down, left::across]
        if part.size:
            yield from (row.tobytes() for row in part)


def turned(orientation):
    exif = Image.Exif()
    exif[0x0112] = orientation
    return exif


def files():
    rgb, grey = picture(9, 6, 3), picture(9, 6, 1)
    rgba = picture(9, 6, 4)
    smooth = picture(3, 2, 3).resize((20, 14), Image.BILINEAR)
    deep = noise(8, 5, 6).reshape(5, -1)
    yield "palette", saved(rgb.quantize(5), "PNG")
    yield "palette with transparency", saved(rgb.quantize(5), "PNG", transparency=2)
    yield "one bit", saved(grey.convert("1"), "PNG")
    yield "two bits", saved(rgb.quantize(4), "PNG", bits=2)
    yield "grey and alpha", saved(rgba.convert("LA"), "PNG")
    yield "RGBA", saved(rgba, "PNG")
    yield "transparent colour", saved(rgb, "PNG", transparency=(1, 2, 3))
    yield "16 bits", png_by_hand(16, 2, 5, 8, [row.tobytes() for row in deep])
    yield "interlaced", png_by_hand(8, 0, 11, 13, list(adam7(noise(13, 11, 1)[..., 0])), interlace=1)
    yield "JPEG 4:2:0", saved(smooth, "JPEG", quality=80)
    yield "JPEG progressive", saved(smooth, "JPEG", quality=90, progressive=True, subsampling=1)
    yield "JPEG grey", saved(smooth.convert("L"), "JPEG")
    yield "JPEG CMYK", saved(smooth.convert("CMYK"), "JPEG", quality=90)
    for orientation in range(2, 9):
        yield f"PNG turned {orientation}", saved(rgb, "PNG", exif=turned(orientation))
    yield "JPEG turned 6", saved(smooth, "JPEG", exif=turned(6))
    yield "WebP turned 8", saved(rgb, "WEBP", lossless=True, exif=turned(8))
    yield "WebP lossy", saved(smooth, "WEBP", quality=80)
    yield "WebP RGBA", saved(rgba, "WEBP", lossless=True, exact=True)


HEAD = """#pragma once
// Written by make_goldens.py with Pillow 11.3.0; hashes are FNV-1a of the bytes.
#include <cstdint>
#include <string_view>

#include "fresco/image/resize.h"

namespace fresco::image {

struct ResizeGolden {
  int64_t channels, width, height, to_width, to_height;
  Filter filter;
  uint64_t hash;
};
inline constexpr ResizeGolden kResizeGoldens[] = {"""

MIDDLE = """};

// A file in base 64, and its pixels turned upright, as RGB and as grey.
struct FileGolden {
  std::string_view name;
  int64_t width, height;
  uint64_t rgb, grey;
  std::string_view base64;
};
inline constexpr FileGolden kFileGoldens[] = {"""

TAIL = """};

}  // namespace fresco::image"""


def main():
    print(HEAD)
    resizes()
    print(MIDDLE)
    for name, data in files():
        upright = ImageOps.exif_transpose(Image.open(io.BytesIO(data)))
        rgb = upright.convert("RGB")
        # Grey by way of RGB, which is how diffusers loads pictures.
        print(f'    {{"{name}", {rgb.width}, {rgb.height}, {fnv(rgb)}, {fnv(rgb.convert("L"))},')
        text = base64.b64encode(data).decode()
        lines = [text[i:i + 112] for i in range(0, len(text), 112)]
        print("\n".join(f'     "{line}"' for line in lines) + "},")
    print(TAIL)


main()
