"""A process whose environment asks the SDKs to tell everything still tells no key and no word of the claim."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from tests.aiassist.gateway.loopback import SECRET, loopback, refuses
from tests.aiassist.gateway.requests import GOOD_ANSWER
from tests.aiassist.gateway.wires import KEY, WIRES, Wire

_ASK = """
import logging, sys, django
django.setup()
from aiassist.gateway.chain import ProviderChain
from aiassist.gateway.config import ChainPolicy
from tests.aiassist.gateway.requests import make_request
from tests.aiassist.gateway.wires import WIRES
wire = next(wire for wire in WIRES if wire.name == sys.argv[1])
chain = ProviderChain([wire.link(sys.argv[2])], policy=ChainPolicy(backoff_base_seconds=0.0))
answer = chain.ask(make_request(claimant_text="the man in the green hat"), external_allowed=True)
assert logging.getLogger(wire.name).level == logging.DEBUG, "the SDK has turned its logger up"
print(answer.provider, answer.errors)
"""


@pytest.mark.parametrize("wire", WIRES, ids=lambda wire: wire.name)
def test_no_switch_of_an_sdk_makes_it_tell(wire: Wire) -> None:
    loud = {"OPENAI_LOG": "debug", "ANTHROPIC_LOG": "debug", "ANTHROPIC_OPEN_TELEMETRY_TRACES_CONTENT_MODE": "content"}
    environment = {**os.environ, **loud, "DJANGO_SETTINGS_MODULE": "config.settings"}
    with loopback(refuses(503), wire.answers_json(GOOD_ANSWER)) as server:
        done = subprocess.run(
            [sys.executable, "-c", _ASK, wire.name, server.url],
            env=environment,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
    assert done.returncode == 0, done.stderr[-2000:]
    assert done.stdout.strip() == f"{wire.name} ('{wire.name}:http_503',)"
    for told in (KEY, "green hat", "Say what you see", SECRET):
        assert told not in done.stdout + done.stderr
