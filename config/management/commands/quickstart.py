"""``manage.py quickstart``: from nothing to a working system on embedded parts."""

from __future__ import annotations

import json
import signal
import sys
import time
from argparse import ArgumentParser
from dataclasses import asdict
from functools import partial
from pathlib import Path
from types import FrameType
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from config.quickstart import ground, servers
from config.quickstart.demonstration import follow, hand_in, missing_clips
from config.quickstart.display import Display, welcome
from config.quickstart.people import Credentials, make_people
from config.quickstart.weights import WeightsErrand
from observability.errors import PlatformError
from tenancy.trail.signing import own_public_key


class Command(BaseCommand):
    help = "Set up and start a working system on embedded parts, with two demo tenants and assessed claims."
    requires_migrations_checks = False

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--no-serve", action="store_true", help="set everything up, assess the demonstration, stop")
        parser.add_argument("--json", action="store_true", help="print one JSON line when everything is ready")
        parser.add_argument("--data-dir", type=Path, default=None, help="where all data lives (default .claimwright)")
        parser.add_argument("--port", type=int, default=8000)

    def handle(self, *args: Any, **options: Any) -> None:
        folder = (options["data_dir"] or settings.DATA_DIR).expanduser().resolve()
        serve = not options["no_serve"]
        try:
            ground.check_machine()
            ground.prepare_data_dir(folder)
            keys = (settings.SECRET_KEY_IS_SET, settings.VAULT_MASTER_KEYS, settings.AUDIT_SIGNING_KEY)
            if folder != settings.DATA_DIR or not all(keys):
                ground.restart_in(folder)
            if serve:
                servers.require_free_port(options["port"])
            for number in (signal.SIGTERM, signal.SIGINT):  # a script's background process begins with SIGINT ignored
                signal.signal(number, _as_interrupt)
            self._run(folder, port=options["port"], serve=serve, as_json=options["json"])
        except PlatformError as error:
            raise CommandError(error.message, returncode=1) from error
        except KeyboardInterrupt:
            self.stderr.write("Stopped.")

    def _run(self, folder: Path, *, port: int, serve: bool, as_json: bool) -> None:
        url = f"http://127.0.0.1:{port}"
        with Display() as display:
            weights = WeightsErrand(Path(settings.MODEL_DIR))
            display.show("Database and people", 0.1, "")
            ground.build_database()
            credentials = make_people(folder)
            display.finish("Database and people", "ready")
            display.finish("Audit trail", f"signed, public key {own_public_key()}")
            if serve:
                display.show("Pages", 0.1, "")
                ground.build_static_files()
                display.finish("Pages", "ready")
            display.show("Detector weights", 0.5, "")
            display.finish("Detector weights", weights.outcome())
            running = servers.start_servers(data_dir=folder, manage=sys.argv[0], port=port, web=serve)
            try:
                if serve:
                    servers.wait_until_ready(running, url)
                _demonstrate(display, credentials)
            except BaseException:
                running.stop()
                raise
        self._announce(credentials, url, as_json=as_json)
        try:
            while serve:
                time.sleep(0.5)
                dead = running.ended()
                if dead:
                    raise PlatformError(f"The {dead} process ended; see {folder / dead}.log.", code="child_ended")
        finally:
            running.stop()

    def _announce(self, credentials: Credentials, url: str, *, as_json: bool) -> None:
        ready = json.dumps({"url": url, **asdict(credentials)}) if as_json else welcome(credentials, url)
        self.stdout.write(ready)
        self.stdout.flush()  # into a file or a pipe too, a reader must not wait for the end of the program


def _demonstrate(display: Display, credentials: Credentials) -> None:
    handed_in = []
    for clip in missing_clips(credentials):
        bar = f"Film {clip.name}"
        handed_in.append(hand_in(clip, credentials, partial(display.show, bar, note="rendering")))
        display.finish(bar, "handed in")
    for states in follow(handed_in):
        for state in states:
            display.show_claim(state)


def _as_interrupt(_number: int, _frame: FrameType | None) -> None:
    raise KeyboardInterrupt
