"""Environment of the tests, loaded as a pytest plugin before Django's settings are read."""

import os
import re
import tempfile

# SQLite in a folder of its own unless the caller names a database; no broker process is needed for the suite.
os.environ.setdefault("DATA_DIR", tempfile.mkdtemp(prefix="claimwright-tests-"))
os.environ.setdefault("CELERY_BROKER_URL", "memory://")
os.environ.setdefault("SECRET_KEY", "tests-only-" + "0" * 50)
os.environ.setdefault("VAULT_MASTER_KEY", "1:" + "A" * 43 + "=")
os.environ.setdefault("LOG_FORMAT", "console")
# Nobody's queries are counted while another test's requests are written down.
os.environ.setdefault("API_METER_SECONDS", "86400")
# Tests and harnesses send more than people do; the tests of the limits set their own.
for _name in ("RATE_LIMIT_DEFAULT", "RATE_LIMIT_RUN", "RATE_LIMIT_SESSION"):
    os.environ.setdefault(_name, "1000000/m")
# Each process of a parallel run has a database of its own; so has it in Redis, counted on from the one that is named.
_cache, _number = os.environ.get("CACHE_URL", ""), os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw")
if _cache:
    os.environ["CACHE_URL"] = re.sub(r"/(\d+)$", lambda found: f"/{int(found[1]) + int(_number)}", _cache)
