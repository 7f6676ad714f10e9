"""A scripted stand-in for the bridge, standard library only: `bridge.py <scenario> job <folder>` or `... serve`.

Job scenarios: normal, slow_start, garbage, nan, crash, silent_exit, hang, deaf, torn, orphan, until_stopped,
resumable, lingering, other_version. A normal training draws each of its sample prompts before the first step and after the last.
A resumable one goes on from the newest state in its folder, saves one at every tenth step, does what its markers ask,
and ends at step 1000; with a file `die` in its folder it ends at step 25 without a word.
Worker scenarios: normal, garbage, crash, hang, wrong_answer, other_version, slow_start.
"""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

VERSIONS = {"python": "3.11.2", "torch": "0.0.0", "diffusers": "0.0.0", "transformers": "0.0.0"}
DEVICE = {"kind": "cpu", "name": "Fake", "memoryBytes": None}
PLAN = {
    "buckets": [
        {"resolution": [64, 64], "count": 4, "images": 4, "batches": 4, "short": False, "enlarged": 0}
    ],
    "concepts": [],
    "images": 2,
    "regularizationImages": 2,
    "validationImages": 0,
    "batchesPerEpoch": 4,
    "stepsPerEpoch": 4,
    "stepsWithoutRegularization": 2,
    "epochs": 1,
    "totalSteps": 4,
    "enlargedImages": 0,
    "uncaptionedImages": 0,
    "files": {
        "checkpoints": 1,
        "checkpointsKept": 1,
        "checkpointBytes": None,
        "states": 0,
        "stateBytes": None,
        "samples": 0,
        "samplesBytes": 0,
        "disks": [],
    },
    "warnings": [],
}
STEPS = 4
SIDE = 8
# A grey square.
PNG = bytes.fromhex(
    "89504e470d0a1a0a0000000d4948445200000008000000080800000000e164e1570000000e49444154789c63"
    "5800050c943100a0932801148541aa0000000049454e44ae426082"
)


class Events:
    """Writes events.jsonl as the real bridge does: one write a line."""

    def __init__(self, folder: Path, version: int) -> None:
        self.file = (folder / "events.jsonl").open("a", encoding="utf-8", buffering=1)
        self.version = version
        self.seq = (folder / "events.jsonl").read_bytes().count(b"\n")

    def send(self, type_: str, **fields: object) -> None:
        self.seq += 1
        event = {"v": self.version, "seq": self.seq, "time": time.time(), "type": type_, **fields}
        self.raw(json.dumps(event) + "\n")

    def raw(self, text: str) -> None:
        self.file.write(text)
        self.file.flush()

    def hello(self) -> None:
        self.send(
            "hello",
            protocolVersion=self.version,
            pid=os.getpid(),
            versions=VERSIONS,
            device=DEVICE,
        )

    def step(self, step: int, loss: float | None = 0.5, total: int = STEPS) -> None:
        self.send(
            "step",
            step=step,
            total=total,
            epoch=1,
            epochs=1,
            loss=loss,
            averageLoss=loss,
            learningRate=0.001,
            rates=[{"name": "unet", "value": 0.001}],
            gradNorm=None,
            keyNorms=None,
            imagesPerSecond=100,
            secondsPerStep=0.01,
            etaSeconds=0.01 * (total - step),
            memoryBytes=1,
        )

    def sample(self, path: Path, index: int, prompt: str, step: int) -> None:
        self.send(
            "sample",
            path=str(path),
            index=index,
            prompt=prompt,
            negativePrompt="",
            width=SIDE,
            height=SIDE,
            seed=index,
            sampleSteps=30,
            cfgScale=7.5,
            sampler="dpm++_2m_karras",
            step=step,
            epoch=min(step, 1),
        )

    def finished(self, outcome: str, *outputs: str) -> None:
        self.send("finished", outcome=outcome, outputs=list(outputs))


def draw_samples(folder: Path, config: dict[str, object], events: Events, step: int) -> None:
    lines = [line.strip() for line in str(config.get("sample_prompts", "")).split("\n")]
    prompts = [line.split(" --")[0] for line in lines if line and not line.startswith("#")]
    for index, prompt in enumerate(prompts):
        events.send("phase", phase="sampling", done=index, total=len(prompts))
        path = folder / "samples" / f"fake_{step:06d}_{index:02d}_{index}.png"
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(PNG)
        events.sample(path, index, prompt, step)


def run_until_stopped(folder: Path, events: Events) -> None:
    step = 0
    while not (folder / "control" / "stop").exists():
        step += 1
        events.step(min(step, STEPS))
        time.sleep(0.02)
    events.finished("stopped")


class Resumable:
    """A training of 1000 steps that can be paused, killed and gone on with."""

    total = 1000

    def __init__(self, folder: Path, events: Events, config: dict[str, object]) -> None:
        self.folder, self.events, self.config = folder, events, config
        (folder / "resume").mkdir(exist_ok=True)

    def run(self) -> None:
        done = self._go_on()
        while done < self.total and not self._asked("stop") and not self._asked("pause"):
            done += 1
            self.events.step(done, total=self.total)
            if done % 10 == 0:
                self._save_state(done)
            self._do_wishes(done)
            if done >= 25 and (self.folder / "die").exists():
                os.kill(os.getpid(), signal.SIGKILL)
            time.sleep(0.005)
        self._end(done)

    def _go_on(self) -> int:
        states = sorted((self.folder / "resume").iterdir())
        if not states:
            return 0
        step = int(states[-1].name.removeprefix("step"))
        self.events.send("resumed", path=str(states[-1]), step=step, epoch=1, changes=["A picture is new."])
        return step

    def _do_wishes(self, step: int) -> None:
        if self._take("save"):
            self._save(step, final=False)
        if self._take("sample"):
            draw_samples(self.folder, self.config, self.events, step)

    def _end(self, step: int) -> None:
        if self._asked("pause"):
            self._save_state(step)
            self.events.finished("paused")
        else:
            output = self._save(step, final=True)
            self.events.finished("stopped" if step < self.total else "completed", str(output))

    def _save(self, step: int, *, final: bool) -> Path:
        path = self.folder / ("fake.safetensors" if final else f"fake-step{step:08d}.safetensors")
        path.write_bytes(b"fake")
        self.events.send("checkpoint", path=str(path), bytes=4, step=step, epoch=1, final=final)
        return path

    def _save_state(self, step: int) -> None:
        path = self.folder / "resume" / f"step{step:08d}"
        path.mkdir(exist_ok=True)
        self.events.send("state", path=str(path), bytes=4096, step=step, epoch=1)

    def _asked(self, control: str) -> bool:
        return (self.folder / "control" / control).exists()

    def _take(self, wish: str) -> bool:
        if not self._asked(wish):
            return False
        (self.folder / "control" / wish).unlink()
        return True


def run_job(scenario: str, folder: Path) -> int:
    job = json.loads((folder / "job.json").read_text(encoding="utf-8"))
    print(f"fake bridge: {scenario}, {job['kind']}", flush=True)
    events = Events(folder, 99 if scenario == "other_version" else 1)
    if scenario == "slow_start":
        time.sleep(0.5)
    if scenario == "silent_exit":
        return 0
    events.hello()
    if scenario == "garbage":
        events.raw('not json\n{"v":1}\n\n\x00\x01\n' + "x" * 2_000_000 + "\n")
        events.raw('{"v":1,"seq":2,"time":1,"type":"surprise"}\n')
        events.seq += 1
    if scenario == "nan":
        events.raw('{"v":1,"seq":2,"time":1,"type":"log","level":"info","text":NaN}\n')
    if scenario == "crash":
        events.step(1)
        print("MemoryError: nothing left", file=sys.stderr, flush=True)
        return 7
    if scenario == "torn":
        events.step(1)
        events.raw('{"v":1,"seq":3,"time":1,"ty')
        os.kill(os.getpid(), signal.SIGKILL)
    if scenario == "deaf":
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
    if scenario == "orphan":
        # Shares the process group and ignores the gentle signals.
        code = (
            "import signal, time\n"
            "for gentle in (signal.SIGINT, signal.SIGTERM): signal.signal(gentle, signal.SIG_IGN)\n"
            "print('deaf', flush=True)\n"
            "time.sleep(600)"
        )
        child = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE)
        child.stdout.readline()
        (folder / "orphan.pid").write_text(str(child.pid))
    if scenario in {"hang", "deaf", "orphan"}:
        events.step(1)
        time.sleep(600)
    if scenario == "until_stopped":
        run_until_stopped(folder, events)
        return 0
    if scenario == "lingering":
        events.finished("paused")
        time.sleep(600)
    if scenario == "resumable":
        Resumable(folder, events, job.get("config", {})).run()
        return 0
    draw_samples(folder, job.get("config", {}), events, 0)
    for step in range(1, STEPS + 1):
        events.step(step, None if scenario == "nan" and step == 1 else 0.5)
        time.sleep(0.01)
    draw_samples(folder, job.get("config", {}), events, STEPS)
    output = folder / "fake.safetensors"
    output.write_bytes(b"fake")
    events.finished("completed", str(output))
    return 0


def answer(scenario: str, request: dict[str, object]) -> dict[str, object]:
    if scenario == "wrong_answer":
        return {"re": request["id"], "ok": {"what": "ever"}}
    if request["type"] == "plan":
        return {"re": request["id"], "ok": {**PLAN, "concepts": planned(request)}}
    if request["type"] == "probe":
        return {"re": request["id"], "ok": {"versions": VERSIONS, "devices": [DEVICE]}}
    if request["type"] == "picture":
        return {"re": request["id"], "ok": {"width": SIDE, "height": SIDE, "format": "png", "problem": None}}
    problem = {"code": "not_found", "message": f"There is no {request['path']}.", "hint": "Look."}
    return {"re": request["id"], "error": problem}


def planned(request: dict[str, object]) -> list[dict[str, object]]:
    concepts = request["concepts"] or []
    told = ("folder", "prompt", "repeats", "regularization")
    return [{**{key: concept[key] for key in told}, "images": 1} for concept in concepts]


def serve(scenario: str) -> int:
    if scenario == "slow_start":
        time.sleep(0.5)
    version = 99 if scenario == "other_version" else 1
    print(json.dumps({"type": "hello", "protocolVersion": version, "pid": os.getpid()}), flush=True)
    for line in sys.stdin:
        request = json.loads(line)
        if scenario == "crash":
            return 3
        if scenario == "hang":
            time.sleep(600)
        if scenario == "garbage":
            print("Loading… 50%", flush=True)
            print('{"re": 12345, "ok": null}', flush=True)
        print(json.dumps(answer(scenario, request)), flush=True)
    return 0


def main() -> int:
    scenario, command, *rest = sys.argv[1:]
    return run_job(scenario, Path(rest[0])) if command == "job" else serve(scenario)


if __name__ == "__main__":
    sys.exit(main())
