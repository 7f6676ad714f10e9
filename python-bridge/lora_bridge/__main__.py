"""The bridge's ways to run: `python -m lora_bridge job FOLDER` and `python -m lora_bridge serve`.

A job of several processes starts the others itself, as `python -m lora_bridge rank FOLDER NUMBER`.
"""

from __future__ import annotations

import sys

from lora_bridge.system import close_inherited_files

_USAGE = "usage: python -m lora_bridge job FOLDER | serve"


def main(arguments: list[str]) -> int:
    match arguments:
        case ["job", folder]:
            return _job(folder)
        case ["rank", folder, number]:
            return _rank(folder, int(number))
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


def _rank(folder: str, number: int) -> int:
    from lora_bridge.system import ignore_stop_signals

    ignore_stop_signals()  # the job's own process decides for all
    from lora_bridge.quiet import prepare_streams

    prepare_streams()
    from pathlib import Path

    from lora_bridge.rank import run_rank
    from lora_bridge.train import run_part

    return run_rank(Path(folder), number, run_part)


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
