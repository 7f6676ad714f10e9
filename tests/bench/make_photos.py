"""python make_photos.py FOLDER COUNT: smooth JPEG photos of 800 x 600, no two alike, every other with a caption."""

import sys
from pathlib import Path

import numpy as np
from PIL import Image

folder, count = Path(sys.argv[1]), int(sys.argv[2])
folder.mkdir(parents=True)
noise = np.random.default_rng(0).integers(0, 255, (12, 16, 3), dtype=np.uint8)
scene = Image.fromarray(noise).resize((1024, 768), Image.Resampling.BICUBIC)
for number in range(count):
    left, top = number % 200, number // 200 % 160
    name = folder / f"photo-{number:05}"
    scene.crop((left, top, left + 800, top + 600)).save(name.with_suffix(".jpg"), quality=85)
    if number % 2:
        name.with_suffix(".txt").write_text(f"a photo of place {number}\n", encoding="utf-8")
