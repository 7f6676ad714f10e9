"""The bridge's two ways to run: `python -m lora_bridge job FOLDER` and `python -m lora_bridge serve`."""

from __future__ import annotations

import sys

from lora_bridge.system import close_inherited_files

_USAGE = "usage: python -m lora_bridge job FOLDER | serve"


def main(arguments: list[str]) -> int:
    match arguments:
        case ["job", folder]:
            return _job(folder)
        case ["serve"]:
            return _serve()
        case _:
            sys.stderr.write(f"{_USAGE}\n")
            return 2


def _job(folder: str) -> int:
    from lora_bridge.quiet import prepare_streams

    prepare_streams()
    from pathlib import Path

    from lora_bridge.jobs import run_job

    return run_job(Path(folder).resolve())


def _serve() -> int:
    from lora_bridge.protocol import claim_streams

    streams = claim_streams()
    from lora_bridge.quiet import prepare_streams

    prepare_streams()
    from lora_bridge.worker import serve

    return serve(streams)


if __name__ == "__main__":
    close_inherited_files()
    sys.exit(main(sys.argv[1:]))
