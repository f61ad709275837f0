r"""Run the benchmarks: every method beside its peers, on the same inputs, in one run.

    python -m tests.benchmarks [--quick] [part/topic ...]

A topic's rows stand in `tests/benchmarks/<part>/<topic>.py`, a module with one function:

```python
def rows(device="cpu"):
    x = ...                                    # the inputs, made once for all sides, seeded
    yield {
        "name": "10 000 rows of 1 000, float32",
        "method": "spaces_core.entropy.entropy_normalize",
        "ours": lambda: entropy_normalize(x, 2.0),
        "peers": {"SciPy brentq, row by row": lambda: by_brentq(x, 2.0), "torchdr": "torchdr is not installed"},
        "agreement": lambda ours, peer: float((ours - peer).abs().max()),
        "error": lambda result: float(...),    # optional: a quality of one side's result, the smaller the better
        "error_name": "largest entropy error, nats",
        "params": {"rows": 10_000, "columns": 1_000, "dtype": "float32"},
    }
```

- `ours` and each peer take no argument, do the whole work and return its result. What a user would do once (building an
  object, moving data to the device, importing) happens before, outside the callable, for both sides.
- A peer that cannot run is a string that says why, and is printed as such.
- `agreement` gets the results of both sides and returns the largest difference; it is printed here and asserted in the
  topic's tests.
- `rows` is called with `"cpu"`, and with `"cuda"` where there is one; it may yield nothing for a device.
- Peers get the same tolerance, the same number of steps and the same dtype, or the row's name says what differs.

Each side is called once to warm up, then all sides in turn, until there are seven rounds or a minute has passed (three
rounds at least): the table has the median and the quartiles. Memory is the peak that one call adds, in a fresh process.
The result goes to `tests/recorded/benchmarks.json`, from which the book makes its page of benchmarks.
"""

import argparse
import ctypes
import datetime
import importlib.util
import json
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from spaces_core.lab import machine

HERE = Path(__file__).resolve().parent
RESULT = HERE.parent / "recorded" / "benchmarks.json"
REQUIRED = {"name", "method", "ours", "peers", "agreement", "params"}
OPTIONAL = {"error", "error_name"}


def topics() -> list[str]:
    """Topics that have benchmark rows, as `part/topic`."""
    return sorted(p.relative_to(HERE).with_suffix("").as_posix() for p in HERE.glob("*/[a-z]*.py"))


def rows(topic: str, device: str) -> Iterator[dict]:
    """The rows of a topic, each held to the contract above."""
    spec = importlib.util.spec_from_file_location(topic.replace("/", "_"), HERE / f"{topic}.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    for row in module.rows(device=device):
        name, keys = row.get("name"), set(row)
        if not REQUIRED <= keys <= REQUIRED | OPTIONAL or len(OPTIONAL & keys) == 1:
            raise ValueError(
                f"{topic}: row {name!r} has {sorted(keys)}; needs {sorted(REQUIRED)}, and {sorted(OPTIONAL)} together"
            )
        yield row


def devices() -> list[str]:
    """The CPU, and the GPU if torch sees one."""
    import torch

    return ["cpu", "cuda"] if torch.cuda.is_available() else ["cpu"]


def run_row(topic: str, row: dict, device: str, quick: bool) -> dict:
    """Time all sides of a row in turn, compare their results, and measure the memory of each."""
    sides = {"ours": row["ours"], **{k: v for k, v in row["peers"].items() if callable(v)}}
    results = {side: _timed(work, device)[0] for side, work in sides.items()}
    seconds: dict[str, list[float]] = {side: [] for side in sides}
    started = time.monotonic()
    for done in range(3 if quick else 7):
        if done >= 3 and time.monotonic() - started > 60:
            break
        for side, work in sides.items():
            seconds[side].append(_timed(work, device)[1])
    figures = {}
    for side in sides:
        q1, median, q3 = (float(f"{v:.4g}") for v in statistics.quantiles(seconds[side], n=4, method="inclusive"))
        figures[side] = {"median_s": median, "q1_s": q1, "q3_s": q3, "rounds": len(seconds[side])}
        figures[side]["peak_mib"] = _memory_of(topic, row["name"], side, device)
        if "error" in row:
            figures[side]["error"] = float(f"{row['error'](results[side]):.3g}")
    peers = []
    for name, work in row["peers"].items():
        if not callable(work):
            peers.append({"name": name, "missing": str(work)})
            continue
        agreement = float(f"{row['agreement'](results['ours'], results[name]):.3g}")
        ratio = float(f"{figures[name]['median_s'] / figures['ours']['median_s']:.3g}")
        peers.append({"name": name, **figures[name], "ratio": ratio, "agreement": agreement})
    kept = {key: row[key] for key in ("name", "method", "params", "error_name") if key in row}
    return {**kept, "device": device, "ours": figures["ours"], "peers": peers}


def _timed(work: Callable[[], Any], device: str) -> tuple[Any, float]:
    """A call's result and its seconds, waiting for the GPU to finish."""
    if device == "cuda":
        import torch

        torch.cuda.synchronize()
    started = time.perf_counter()
    result = work()
    if device == "cuda":
        torch.cuda.synchronize()
    return result, time.perf_counter() - started


def _memory_of(topic: str, name: str, side: str, device: str) -> float | None:
    """Peak memory in MiB that one call adds, measured in a process of its own."""
    command = [sys.executable, "-m", "tests.benchmarks", "--memory", topic, name, side, device]
    done = subprocess.run(command, capture_output=True, text=True, cwd=HERE.parent.parent, check=False)
    if done.returncode:
        print(f"  memory of {side} not measured: {done.stderr.strip().splitlines()[-1:]}", file=sys.stderr)
        return None
    return json.loads(done.stdout.splitlines()[-1])


def measure_memory(topic: str, name: str, side: str, device: str) -> float | None:
    """In the fresh process: warm up, reset the peak, call once, read the peak; None where the system cannot say."""
    row = next(r for r in rows(topic, device) if r["name"] == name)
    work = row["ours"] if side == "ours" else row["peers"][side]
    work()
    if device == "cuda":
        import torch

        torch.cuda.reset_peak_memory_stats()
        before = torch.cuda.memory_allocated()
        work()
        return round((torch.cuda.max_memory_allocated() - before) / 2**20, 1)
    if not Path("/proc/self/clear_refs").exists():
        return None
    ctypes.CDLL(None).malloc_trim(0)
    Path("/proc/self/clear_refs").write_text("5")
    before = _status("VmRSS")
    result = work()
    peak = _status("VmHWM")
    del result
    return round(max(peak - before, 0) / 1024, 1)


def _status(field: str) -> int:
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith(field))


def report(topic: str, row: dict) -> None:
    """Print one row: every side's median, the ratio, the agreement and the error."""
    print(f"{topic} · {row['name']} · {row['device']}")
    for side in [{"name": "ours", **row["ours"]}, *row["peers"]]:
        if "missing" in side:
            print(f"  {side['name']:44} not run: {side['missing']}")
            continue
        words = [f"{side['median_s']:.4g} s [{side['q1_s']:.4g}, {side['q3_s']:.4g}]", f"{side['peak_mib']} MiB"]
        words += [f"{side['ratio']} x ours", f"differs by {side['agreement']}"] if "ratio" in side else []
        words += [f"{row['error_name']} {side['error']}"] if "error" in side else []
        print(f"  {side['name']:44} {', '.join(words)}", flush=True)


def main(arguments: list[str] | None = None) -> int:
    """Command line of the runner."""
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks", description="Methods beside their peers.")
    parser.add_argument("topics", nargs="*", metavar="part/topic", help="topics to run (default: all)")
    parser.add_argument("--quick", action="store_true", help="three rounds, and nothing is stored")
    parser.add_argument("--memory", nargs=4, metavar=("TOPIC", "ROW", "SIDE", "DEVICE"), help=argparse.SUPPRESS)
    options = parser.parse_args(arguments)
    if options.memory:
        print(json.dumps(measure_memory(*options.memory)))
        return 0
    unknown = sorted(set(options.topics) - set(topics()))
    if unknown:
        parser.error(f"no benchmark for {', '.join(unknown)}; there are: {', '.join(topics()) or 'none'}")
    fresh = {}
    for topic in options.topics or topics():
        found = []
        for device in devices():
            for row in rows(topic, device):
                found.append(run_row(topic, row, device, options.quick))
                report(topic, found[-1])
        fresh[topic] = {
            "recorded": datetime.datetime.now(datetime.UTC).date().isoformat(),
            "command": f"python -m tests.benchmarks {topic}",
            "hardware": machine.hardware(),
            "threads": os.environ.get("OMP_NUM_THREADS", "all cores"),
            "versions": machine.versions(),
            "rows": found,
        }
    if not options.quick:
        stored = {**(json.loads(RESULT.read_text()) if RESULT.exists() else {}), **fresh}
        kept = {topic: stored[topic] for topic in sorted(stored) if topic in topics()}
        RESULT.write_text(json.dumps(kept, indent=1, ensure_ascii=False) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
