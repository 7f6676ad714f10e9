"""Fuzzed datasets: trees of folders with odd names, links and files, and the options they are read with.

A case is drawn from its seed alone and written by `write_tree`, so that it can be told without a disk.
"""

from __future__ import annotations

import random
from collections import Counter
from typing import TYPE_CHECKING, Any, NamedTuple

from fuzz_files import CAPTIONS, SMALL_CAPTIONS, Content, damaged, pictures
from fuzz_toml import draw_toml

if TYPE_CHECKING:
    from pathlib import Path

_NAMES: dict[str, tuple[str, ...]] = {
    "plain": ("1_ohwx woman", "2_ohwx", "3_a_b_c"),
    "new line": ("1_ohwx\nwoman", "\n2_ohwx\r\n", "1_ohwx\t\x0b"),
    "emoji": ("1_👩‍👩‍👧‍👦 🎈", "🎈", "1_🎈.png"),
    "255 bytes": ("1_" + "a" * 253, "1_" + "ä" * 126, "1_" + "🎈" * 63),
    "right to left": ("1_אישה", "\u202e1_ohwx", "אישה"),
    "leading dots": (".1_hidden", "..1_ohwx", "1_.ohwx", "...", ".png"),
    "no text": ("1_", "10", "_", "1__", "0_"),
    "no number": ("_ohwx", "ohwx", "-1_ohwx", "1.5_ohwx", "+1_ohwx", " 1_ohwx"),
    "huge number": ("99999999999999999999_x", "9" * 250 + "_x", "100001_x", "0000000003_x"),
    "unicode digits": ("\u0661_ohwx", "\u0967\u0968_ohwx", "\uff11_ohwx", "²_ohwx", "\U0001d7ce_ohwx"),
    "trailing blanks": ("1_ohwx ", "1_ohwx.", "1_ ", "1_\u3000", "1_ohwx\u2028"),
    "not UTF-8": ("1_\udcff\udcfe", "\udce4", "1_ohwx\udcc3", "\udcff.png"),
    "marks": ("1_%s {0} ${HOME}", "1_<b>'\"\\", "1_*?|:", "1_~", "1_NUL", "1_[a](b)", "1_`$(x)`"),
    "of a picture": ("1_a.png", "a.png", "3_b.jpeg"),
}
_STEMS = ("a", "b", "c", "0", "A", "a b", "ä", "🎈", "a_1_2_30_40", "f_0009_0009_0020_0020", "x" * 240)
_ODD_STEMS = ("\udcff", "a\nb", "-", "a.txt", "~a", "a ", "#%s{}", "f_1_1_99999999999999_1", "\u202ea")


class Entry(NamedTuple):
    """What lies at a path: a folder, where there is neither a content nor a target."""

    kind: str
    content: bytes | None = None
    target: str | None = None
    """Of a link, as it is written into it."""


class Case(NamedTuple):
    """A dataset and the options it is read with."""

    seed: int
    tree: dict[str, Entry]
    """By path, with `/`, folders before what is in them."""
    folders: dict[str, str]
    """Options that are paths in the tree."""
    options: dict[str, Any]

    def __str__(self) -> str:
        lines = [f"seed {self.seed}, {self.folders}, {self.options}"]
        lines += [f"  {path!r}: {entry.kind} {entry.target or ''}" for path, entry in self.tree.items()]
        return "\n".join(lines)

    def changes(self, root: Path) -> dict[str, Any]:
        """What the case changes in a config, once its tree is in `root`."""
        return {**self.options, **{key: str(root / path) for key, path in self.folders.items()}}


_OPTIONS: dict[str, tuple[Any, ...]] = {
    "dataset_repeats": (1, 3, 1000),
    "broken_images": ("skip", "skip", "skip", "refuse"),
    "train_batch_size": (1, 2, 5, 64),
    "epoch": (1, 2, 3, 50, 100_000),
    "max_train_steps": (0, 1, 5, 10_000_000),
    "gradient_accumulation_steps": (1, 2, 120),
    "caption_extension": (".txt", ".caption", ".TXT"),
    "cache_latents": (True, False),
    "max_resolution": ("64", "64,64", "128,64", "96,96", " 64 , 96", "96,256"),
    "enable_bucket": (True, True, False),
    "min_bucket_reso": (64, 65),
    "max_bucket_reso": (256, 4096),
    "bucket_no_upscale": (True, False),
    "bucket_reso_steps": (32, 64),
    "max_token_length": ("75", "150", "225"),
    "shuffle_caption": (True, False),
    "caption_separator": (",", ".", " ", "|", "\n", "🎈"),
    "keep_tokens": (0, 1, 255),
    "keep_tokens_separator": ("", "|||", "a"),
    "secondary_separator": ("", ";;;", "{"),
    "enable_wildcard": (True, False),
    "caption_prefix": ("", "{a|b", "🎈,", "}}{{", " ", "((("),
    "caption_suffix": ("", "|c}", ")", "|||"),
    "caption_dropout_rate": (0.0, 0.5, 1.0),
    "caption_dropout_every_n_epochs": (0, 1, 2, 100_000),
    "caption_tag_dropout_rate": (0.0, 0.3, 1.0),
    "token_warmup_min": (1, 2, 1000),
    "token_warmup_step": (0.0, 0.5, 10.0, 1e7, 1e-300),
    "weighted_captions": (True, False),
    "cache_text_encoder_outputs": (True, False),
    "resize_interpolation": ("auto", "lanczos", "area", "bicubic", "bilinear", "nearest", "box", "hamming"),
    "random_crop": (True, False),
    "face_crop_aug_range": ("", "1.0,3.0", " 2.5 , 2.5 ", "1,99999999999999999999"),
    "flip_aug": (True, False),
    "color_aug": (True, False),
    "alpha_mask": (True, False),
    "masked_loss": (True, False),
    "kohya_exact": (True, False),
    "prior_loss_weight": (0.0, 1.0),
    "validation_split": (0.0, 0.0, 0.1, 0.5, 0.9),
    "validation_seed": (0, 4_294_967_295),
    "sample_prompts": ("", "{a|b --w 64 --h 64", "# nothing"),
}
_RARE_OPTIONS: dict[str, tuple[Any, ...]] = {
    "max_resolution": ("10", "4096", "64,4096", "100,100"),
    "min_bucket_reso": (96, 4096),
    "max_bucket_reso": (64,),
    "bucket_reso_steps": (33, 96, 128),
    "caption_extension": (".png", ".JPG"),
    "keep_tokens_separator": (",",),
    "secondary_separator": (",", ", "),
    "face_crop_aug_range": ("3,1", "0,0"),
    "sample_prompts": ("(((\n--n", "a --w nan"),
}
"""Those that may be refused."""


def draw_case(seed: int) -> Case:
    """The case of a seed."""
    return _Drawing(random.Random(f"dataset {seed}")).case(seed)


def kinds_of(case: Case) -> Counter[str]:
    """What odd things are in a case."""
    return Counter(entry.kind for entry in case.tree.values())


def write_tree(root: Path, tree: dict[str, Entry]) -> Counter[str]:
    """Write a tree into `root`. What the system refuses is left out and counted by its kind."""
    refused: Counter[str] = Counter()
    root.mkdir(parents=True)
    for path, entry in tree.items():
        try:
            place = root / path
            if entry.target is not None:
                place.symlink_to(entry.target)
            elif entry.content is not None:
                place.write_bytes(entry.content)
            else:
                place.mkdir()
        except (OSError, ValueError):
            refused[entry.kind] += 1
    return refused


class _Drawing:
    """Draws one case."""

    def __init__(self, chance: random.Random) -> None:
        self._chance = chance
        self._tree: dict[str, Entry] = {}

    def case(self, seed: int) -> Case:
        chance = self._chance
        options = {key: chance.choice(values) for key, values in _OPTIONS.items() if chance.random() < 0.18}
        if chance.random() < 0.1:
            key = chance.choice([*_RARE_OPTIONS])
            options[key] = chance.choice(_RARE_OPTIONS[key])
        folders = {"train_data_dir": self._parent("img")}
        if chance.random() < 0.2:
            folders["reg_data_dir"] = self._parent("reg")
        if options.get("masked_loss") or chance.random() < 0.05:
            folders["conditioning_data_dir"] = self._masks()
        if chance.random() < 0.3:
            toml = draw_toml(chance, [path for path, each in self._tree.items() if each.content is None])
            self._tree["sets.toml"] = Entry(f"toml: {toml.kind}", toml.content)
            folders["dataset_config"] = "sets.toml"
        if chance.random() < 0.02:
            folders[chance.choice([*folders])] = chance.choice(("nowhere", "sets.toml", "a\0b", "img/x" * 99))
        return Case(seed, self._tree, folders, options)

    def _parent(self, path: str) -> str:
        """A folder that an option can name: it holds folders of pictures, or pictures."""
        chance = self._chance
        names = _NAMES[chance.choice([kind for kind in _NAMES if kind != "not UTF-8"])]
        path = path if chance.random() < 0.8 else f"{path}{chance.choice(names)}"[:80]
        self._tree[path] = Entry("folder: plain")
        if chance.random() < 0.15:
            self._pictures(path)
        for _ in range(chance.choice((1, 1, 1, 2, 2, 3))):
            self._folder(path)
        if chance.random() < 0.15:
            self._link(path)
        return path

    def _folder(self, parent: str, depth: int = 0) -> None:
        chance = self._chance
        kind = "plain" if chance.random() < 0.6 else chance.choice([*_NAMES])
        path = f"{parent}/{chance.choice(_NAMES[kind])}"
        if path in self._tree:
            return
        self._tree[path] = Entry(f"folder: {kind}")
        if chance.random() < 0.9:
            self._pictures(path)
        if chance.random() < 0.1 and depth < 3:
            self._folder(path, depth + 1)
        if chance.random() < 0.1:
            self._link(path)

    def _pictures(self, folder: str) -> None:
        chance = self._chance
        for _ in range(chance.choice((0, 1, 2, 3, 4, 5))):
            picture = self._picture()
            stem = chance.choice(_STEMS if chance.random() < 0.9 else _ODD_STEMS)
            path = f"{folder}/{stem}{picture.extension}"
            if chance.random() < 0.02:
                self._tree[path] = Entry("folder: named like a picture")
                self._tree[f"{path}/inside.png"] = Entry("picture: in a picture", picture.content)
            else:
                self._tree[path] = Entry(picture.kind, picture.content)
            if chance.random() < 0.7:
                self._caption(folder, stem)

    def _picture(self) -> Content:
        chance = self._chance
        if chance.random() < 0.5:
            return pictures()[chance.randrange(8)]
        picture = chance.choice(pictures())
        return damaged(picture, chance) if chance.random() < 0.2 else picture

    def _caption(self, folder: str, stem: str) -> None:
        chance = self._chance
        path = f"{folder}/{stem}{chance.choice(('.txt', '.txt', '.txt', '.caption'))}"
        if chance.random() < 0.02:
            self._tree[path] = Entry("folder: named like a caption")
        elif chance.random() < 0.02:
            self._tree[path] = Entry("link: caption to nowhere", target="nowhere.txt")
        else:
            caption = chance.choice(CAPTIONS if chance.random() < 0.05 else SMALL_CAPTIONS)
            self._tree[path] = Entry(caption.kind, caption.content)

    def _link(self, folder: str) -> None:
        chance = self._chance
        kind, name, target = chance.choice(
            (
                ("circle", "1_circle", "."),
                ("circle", "2_up", ".."),
                ("itself", "1_itself", "1_itself"),
                ("itself", "itself.png", "itself.png"),
                ("dangling", "1_dangling", "nowhere"),
                ("dangling", "dangling.png", "nowhere.png"),
                ("folder as picture", "linked.png", "."),
                ("device", "device.png", "/dev/zero"),
            )
        )
        self._tree[f"{folder}/{name}"] = Entry(f"link: {kind}", target=target)

    def _masks(self) -> str:
        chance = self._chance
        self._tree["masks"] = Entry("folder: plain")
        folders = {path.rpartition("/")[0] for path, each in self._tree.items() if each.content is not None}
        own = chance.choice(sorted(folders)).rpartition("/")[2] if folders else "ohwx"
        folder = "masks"
        if chance.random() < 0.3:
            folder = f"masks/{own}"
            self._tree[folder] = Entry("folder: of masks")
        self._pictures(folder)
        for stem in chance.sample(_STEMS, 3):
            picture = self._picture()
            self._tree[f"{folder}/{stem}.png"] = Entry(picture.kind, picture.content)
        return "masks"
