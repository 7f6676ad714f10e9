"""Processes that train together: what they learn, and what becomes of them."""

from __future__ import annotations

import os
import signal
import socket
from typing import TYPE_CHECKING, Any

import pytest
import torch
from job_support import events_of
from process_support import (
    BRIDGE,
    children_of,
    is_running,
    machines,
    start_training,
    wait_for,
    wait_for_event,
    weights_at_the_end,
)
from tensor_files import load_tensors
from training_support import ListSink, losses_of, make_config, run_training, save_picture

from lora_bridge import joining
from lora_bridge.problems import ProblemError
from lora_bridge.process_rules import require_processes
from lora_bridge.protocol_types import (
    FailedEvent,
    FinishedEvent,
    JobEvent,
    LogEvent,
    PhaseEvent,
    ResumedEvent,
    SampleEvent,
    StateEvent,
    StepEvent,
    ValidationEvent,
)

if TYPE_CHECKING:
    from pathlib import Path

TOGETHER: dict[str, dict[str, Any]] = {
    "AdamW": {"noise_offset": 0.05, "multires_noise_iterations": 2, "ip_noise_gamma": 0.1},
    "SGD": {"optimizer": "SGDNesterov", "learning_rate": 0.5},
    "accumulation": {"gradient_accumulation_steps": 2, "optimizer": "SGDNesterov", "learning_rate": 0.5},
}


def phases_of(job: Path) -> list[str]:
    events = events_of(job) if (job / "events.jsonl").exists() else []
    return [event.phase for event in events if isinstance(event, PhaseEvent)]


@pytest.mark.parametrize("kind", TOGETHER)
def test_two_processes_learn_what_one_does_with_twice_the_batch(
    project: Path, tiny_sdxl: Path, kind: str
) -> None:
    # 9 samples: batches of 4, 4 and 1, of which one process has nothing.
    save_picture(project / "img" / "1_ohwx person" / "5.png", hue=200)
    changes: dict[str, Any] = {"epoch": 2, **TOGETHER[kind]}
    alone, alone_sink = run_training(project, tiny_sdxl, output_name="alone", train_batch_size=4, **changes)
    both, sink = run_training(
        project, tiny_sdxl, output_name="both", train_batch_size=2, num_processes=2, **changes
    )
    assert losses_of(sink) == pytest.approx(losses_of(alone_sink), abs=1e-6)
    first, second = load_tensors(alone.outputs[0]), load_tensors(both.outputs[0])
    assert first.keys() == second.keys()
    for name, tensor in first.items():
        # AdamW divides by the gradient's size, so that the rounding of the smallest is seen.
        assert second[name].sub(tensor).abs().max() < (1e-5 if kind == "AdamW" else 1e-6), name


def test_what_is_done_between_steps_and_a_pause_change_nothing(project: Path, tiny_sdxl: Path) -> None:
    changes: dict[str, Any] = {
        "epoch": 3,
        "num_processes": 2,
        "train_batch_size": 1,
        "network_dropout": 0.2,
        "cache_latents_to_disk": True,
        "validation_split": 0.25,
        "sample_prompts": "ohwx --w 64 --h 64 --s 2",
        "sample_every_n_epochs": 1,
        "save_every_n_epochs": 1,
    }
    plain: dict[str, Any] = {"sample_prompts": "", "sample_every_n_epochs": 0, "save_every_n_epochs": 0}
    quiet: dict[str, Any] = {**changes, **plain, "output_name": "straight"}
    expected, straight = run_training(project, tiny_sdxl, **quiet)
    paused, sink = run_training(
        project, tiny_sdxl, ListSink(pause_when=lambda event: getattr(event, "step", 0) == 4), **changes
    )
    assert paused.outcome == "paused"
    ending, again = run_training(project, tiny_sdxl, **changes)
    assert again.of(ResumedEvent)[0].changes == []
    assert losses_of(sink) + losses_of(again) == losses_of(straight)
    assert sink.of(SampleEvent)
    assert sink.of(ValidationEvent)
    first, second = load_tensors(expected.outputs[0]), load_tensors(ending.outputs[0])
    for name, tensor in first.items():
        assert second[name].equal(tensor), name


@pytest.mark.parametrize(
    "changes",
    [
        {"network_dropout": 0.3, "rank_dropout": 0.3, "text_encoder_lr": 5e-4},
        {"full_bf16": True, "mixed_precision": "bf16", "scale_weight_norms": 0.5},
        {"lora_type": "LyCORIS/LoKr", "optimizer": "Prodigy", "learning_rate": 1.0},
    ],
)
def test_two_machines_learn_the_same_and_the_first_one_saves(
    project: Path, tiny_sdxl: Path, changes: dict[str, Any]
) -> None:
    endings = machines(project, tiny_sdxl, {}, {"output_dir": str(project / "other")}, epoch=2, **changes)
    assert [outcome for outcome, _ in endings] == ["completed", "completed"]
    losses = [[event.loss for event in events if isinstance(event, StepEvent)] for _, events in endings]
    assert losses[0] == losses[1]
    assert len(losses[0]) > 2
    assert weights_at_the_end(project, 0).equal(weights_at_the_end(project, 1))
    assert [file.name for file in (project / "model").iterdir()] == ["ohwx.safetensors"]
    assert not list((project / "other").glob("*"))


def test_another_machine_receives_what_the_first_goes_on_from(project: Path, tiny_sdxl: Path) -> None:
    changes: dict[str, Any] = {"epoch": 2, "optimizer": "Lion", "lr_scheduler": "cosine"}
    machines(project, tiny_sdxl, {}, {}, **changes, output_name="straight")
    # Whoever is asked pauses all.
    paused = machines(project, tiny_sdxl, {}, {"pause_after": 2}, **changes)
    assert [outcome for outcome, _ in paused] == ["paused", "paused"]
    assert not (project / "model" / "ohwx.safetensors").exists()
    endings = machines(project, tiny_sdxl, {}, {}, **changes)
    assert [outcome for outcome, _ in endings] == ["completed", "completed"]
    resumed = [[event.step for event in events if isinstance(event, ResumedEvent)] for _, events in endings]
    assert resumed == [[2], [2]]
    straight = load_tensors(project / "model" / "straight.safetensors")
    for name, tensor in load_tensors(project / "model" / "ohwx.safetensors").items():
        assert straight[name].equal(tensor), name


def test_machines_that_would_not_train_the_same_are_told_so(project: Path, tiny_sdxl: Path) -> None:
    first, other = machines(project, tiny_sdxl, {}, {"noise_offset": 0.1, "train_batch_size": 1})
    assert first[0].startswith("processes_differ: Another machine")
    assert "train_batch_size was 2 and is 1. noise_offset was 0 and is 0.1." in other[0]


def test_a_first_machine_that_is_not_there_is_named(project: Path, tiny_sdxl: Path) -> None:
    changes: dict[str, Any] = {
        "num_machines": 2,
        "machine_rank": 1,
        "main_process_ip": "127.0.0.1",
        "main_process_port": 9,
    }
    with pytest.raises(ProblemError, match=r"not reached at 127\.0\.0\.1, port 9") as caught:
        run_training(project, tiny_sdxl, ddp_timeout=0, **changes)
    assert caught.value.problem.code == "not_met"


def test_a_rank_that_dies_ends_the_job_which_can_be_gone_on_with(project: Path, tiny_sdxl: Path) -> None:
    changes: dict[str, Any] = {"num_processes": 2, "train_batch_size": 1, "epoch": 200}
    process = start_training(project, tiny_sdxl, {}, **changes)
    wait_for_event(project / "job", StepEvent)
    (rank,) = children_of(process)
    os.kill(rank, signal.SIGKILL)
    assert process.wait(60) == 1
    events = events_of(project / "job")
    failed = events[-1]
    assert isinstance(failed, FailedEvent)
    assert failed.problem.code == "rank_failed"
    assert failed.problem.message == (
        "Process 2 of this training ended with SIGKILL, as when the machine has no memory left."
    )
    steps = [event.step for event in events if isinstance(event, StepEvent)]
    states = [event.step for event in events if isinstance(event, StateEvent)]
    assert states
    assert states[-1] >= steps[-1]
    assert not is_running(rank)


def test_a_rank_that_dies_while_the_first_one_draws_costs_no_step(project: Path, tiny_sdxl: Path) -> None:
    process = start_training(
        project,
        tiny_sdxl,
        {},
        num_processes=2,
        train_batch_size=1,
        epoch=200,
        sample_prompts="ohwx --w 64 --h 64 --s 1000",
        sample_every_n_steps=3,
    )
    wait_for(lambda: "sampling" in phases_of(project / "job"))
    os.kill(children_of(process)[0], signal.SIGKILL)
    assert process.wait(40) == 1
    events = events_of(project / "job")
    assert isinstance(events[-1], FailedEvent)
    assert events[-1].problem.code == "rank_failed"
    assert [event.step for event in events if isinstance(event, StateEvent)] == [3]


def test_a_rank_leaves_signals_to_the_job(project: Path, tiny_sdxl: Path) -> None:
    process = start_training(project, tiny_sdxl, {}, num_processes=2, train_batch_size=1, epoch=200)
    wait_for_event(project / "job", StepEvent)
    os.kill(children_of(process)[0], signal.SIGINT)
    os.kill(process.pid, signal.SIGINT)
    assert process.wait(60) == 0
    last = events_of(project / "job")[-1]
    assert isinstance(last, FinishedEvent)
    assert last.outcome == "stopped"


def test_who_waits_for_another_machine_can_be_stopped(project: Path, tiny_sdxl: Path) -> None:
    def waits(event: JobEvent) -> bool:
        return isinstance(event, LogEvent) and event.text == "Waiting until all 2 machines are there."

    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    changes: dict[str, Any] = {"num_machines": 2, "main_process_ip": "127.0.0.1", "main_process_port": port}
    ending, _ = run_training(project, tiny_sdxl, ListSink(waits), **changes)
    assert ending.outcome == "stopped"


def test_nothing_outlives_a_job_that_is_killed(project: Path, tiny_sdxl: Path) -> None:
    process = start_training(project, tiny_sdxl, {}, num_processes=3, train_batch_size=1, epoch=200)
    wait_for_event(project / "job", StepEvent)
    ranks = children_of(process)
    assert len(ranks) == 2
    process.kill()
    process.wait()
    wait_for(lambda: not any(is_running(rank) for rank in ranks), 10)


@pytest.mark.parametrize(
    ("file", "code", "words"),
    [
        ("unet/config.json", "out_of_memory", "Process 2: Out of memory"),
        # What cannot be read is left out, and here one process alone would leave it out.
        ("2.png", "processes_differ", "Process 2: Not all processes would train the same."),
    ],
)
def test_what_a_rank_fails_of_is_told(
    project: Path, tiny_sdxl: Path, file: str, code: str, words: str
) -> None:
    place = project / "no-room"
    place.mkdir()
    (place / "sitecustomize.py").write_text(
        "import sys\n"
        "def refuse(event, arguments):\n"
        f"    if event == 'open' and str(arguments[0]).endswith({file!r}):\n"
        "        raise MemoryError('no room')\n"
        "if 'rank' in sys.orig_argv:\n"
        "    sys.addaudithook(refuse)\n",
        encoding="utf-8",
    )
    path = os.pathsep.join(map(str, (place, BRIDGE)))
    process = start_training(project, tiny_sdxl, {"PYTHONPATH": path}, num_processes=2, train_batch_size=1)
    assert process.wait(60) == 1
    failed = events_of(project / "job")[-1]
    assert isinstance(failed, FailedEvent)
    assert failed.problem.code == code
    assert failed.problem.message.startswith(words)


@pytest.mark.parametrize(
    ("code", "words", "changes"),
    [
        ("gpu_twice", "names a GPU twice", {"num_processes": 2, "gpu_ids": "1, 1"}),
        ("too_few_gpus", "names 1 of them", {"num_processes": 2, "gpu_ids": "1"}),
        ("machine_rank", "Machine rank is 2", {"num_machines": 2, "machine_rank": 2}),
        ("main_process_ip", "Main process IP is empty", {"num_machines": 2}),
    ],
)
def test_what_cannot_train_together_is_said_before_the_run(
    tmp_path: Path, code: str, words: str, changes: dict[str, Any]
) -> None:
    with pytest.raises(ProblemError, match=words) as caught:
        require_processes(make_config(tmp_path, **changes))
    assert caught.value.problem.code == code


def test_each_process_has_its_own_gpu(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    chosen: list[int] = []
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 3)
    monkeypatch.setattr(torch.cuda, "set_device", chosen.append)
    config = make_config(tmp_path, num_processes=3, gpu_ids="2,0,3")
    assert [joining.device_of(config, local_rank) for local_rank in (0, 1)] == ["cuda:2", "cuda:0"]
    assert chosen == [2, 0]
    with pytest.raises(ProblemError, match="GPU 3 is asked for, and this machine has 3") as caught:
        joining.device_of(config, 2)
    assert caught.value.problem.code == "gpu_missing"
