"""What every benchmark's processes find in their environment: a folder of their own, keys, and no limit of pace."""

import os


def prepare_environment(folder: str) -> None:
    """Set the variables that `config.settings` reads; the caller sets Django up afterwards. Broker and database stay as
    the caller has them, so that a benchmark runs on what `DATABASE_URL` names."""
    os.environ.update(DATA_DIR=folder, DJANGO_SETTINGS_MODULE="config.settings", LOG_FORMAT="json")
    os.environ.setdefault("SECRET_KEY", "benchmark-only-" + "0" * 50)
    os.environ.setdefault("VAULT_MASTER_KEY", "1:" + "A" * 43 + "=")
    os.environ.setdefault("AUDIT_SIGNING_KEY", "A" * 43 + "=")
    for name in ("RATE_LIMIT_DEFAULT", "RATE_LIMIT_RUN", "RATE_LIMIT_SESSION"):
        os.environ[name] = "1000000/m"
