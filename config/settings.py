"""Django's settings, made from the environment. Nothing here is secret; nothing here is read twice."""

from __future__ import annotations

import secrets
import sys
from pathlib import Path
from typing import Any

from config.environment import EnvironmentProblem, Reader, stop_with

BASE_DIR = Path(__file__).resolve().parent.parent
VERSION = "0.1.0"
_env = Reader()
TESTING = "pytest" in sys.modules
_SEVERITIES = ("CRITICAL", "ERROR", "WARNING", "INFO")
_ALERT_LIMITS = {"CRITICAL": "60/h", "ERROR": "30/h", "WARNING": "20/h", "INFO": "10/h"}

try:
    DATA_DIR = Path(_env.text("DATA_DIR", str(BASE_DIR / ".claimwright"))).expanduser().resolve()
    DEBUG = _env.flag("DEBUG", default=False)
    SECRET_KEY = _env.secret("SECRET_KEY")
    # Former keys, separated by commas: what they signed and sealed stays readable.
    SECRET_KEY_FALLBACKS = [key.strip() for key in _env.secret("SECRET_KEY_FALLBACKS").split(",") if key.strip()]
    # Wraps the keys of personal data. `quickstart` writes the file; elsewhere the variable is set, and kept apart from
    # the database and its backups.
    _vault_file = DATA_DIR / "vault_master_key"
    VAULT_MASTER_KEYS = _env.key_ring(
        "VAULT_MASTER_KEY", _vault_file.read_text(encoding="utf-8").strip() if _vault_file.is_file() else ""
    )
    # What was erased, as ids, outside the database: `replay_erasures` reads it after a restore.
    ERASURE_JOURNAL = Path(_env.text("ERASURE_JOURNAL", str(DATA_DIR / "erasures.jsonl"))).expanduser()
    ALLOWED_HOSTS = _env.names("ALLOWED_HOSTS", "localhost,127.0.0.1,[::1]")
    # With it, the first label of acme.claims.example names the tenant acme.
    TENANT_BASE_HOST = _env.text("TENANT_BASE_HOST").lower().strip(".")
    CSRF_TRUSTED_ORIGINS = _env.names("CSRF_TRUSTED_ORIGINS")
    CORS_ORIGINS = _env.origins("CORS_ORIGINS")
    FORCE_HTTPS = _env.flag("FORCE_HTTPS", default=False)
    TRUSTED_PROXIES = _env.networks("TRUSTED_PROXIES")
    DATABASES = {"default": _env.database("DATABASE_URL", DATA_DIR / "claimwright.sqlite3")}
    # Who owns the tables and migrates them, where that is another role than the one that serves.
    DATABASE_OWNER = _env.database_owner("DATABASE_OWNER_URL", DATABASES["default"])
    DATABASE_OPERATIONS_ROLE = _env.text("DATABASE_OPERATIONS_ROLE", "claimwright_operations")
    CACHE_URL = _env.secret("CACHE_URL")
    CELERY_BROKER_URL = _env.secret("CELERY_BROKER_URL", "filesystem://")
    MODEL_DIR = Path(_env.text("MODEL_DIR", str(DATA_DIR / "models")))
    CLAMD_ADDRESS = _env.scanner("CLAMD_ADDRESS")
    MAX_UPLOAD_SIZE_MB = _env.whole("MAX_UPLOAD_SIZE_MB", 500, low=1, high=100_000)
    IDEMPOTENCY_TTL = _env.whole("IDEMPOTENCY_TTL", 86_400, low=60, high=30 * 86_400)
    # Keys and tokens; the same on the expensive /run/*; browser sessions, and media of everybody.
    RATE_LIMIT_DEFAULT = _env.rate("RATE_LIMIT_DEFAULT", "60/m")
    RATE_LIMIT_RUN = _env.rate("RATE_LIMIT_RUN", "5/m")
    RATE_LIMIT_SESSION = _env.rate("RATE_LIMIT_SESSION", "600/m")
    OPENAI_API_KEY = _env.secret("OPENAI_API_KEY")
    OPENAI_BASE_URL = _env.text("OPENAI_BASE_URL", "https://api.openai.com/v1")
    OPENAI_MODEL = _env.text("OPENAI_MODEL", "gpt-4o-mini")
    ANTHROPIC_API_KEY = _env.secret("ANTHROPIC_API_KEY")
    ANTHROPIC_BASE_URL = _env.text("ANTHROPIC_BASE_URL", "https://api.anthropic.com")
    ANTHROPIC_MODEL = _env.text("ANTHROPIC_MODEL", "claude-haiku-4-5")
    LOCAL_LLM_BASE_URL = _env.text("LOCAL_LLM_BASE_URL")
    LOCAL_LLM_MODEL = _env.text("LOCAL_LLM_MODEL", "local")
    LOCAL_LLM_API_KEY = _env.secret("LOCAL_LLM_API_KEY")
    AI_ATTEMPTS = _env.whole("AI_ATTEMPTS", 3, low=1, high=10)
    AI_BACKOFF_BASE_SECONDS = _env.seconds("AI_BACKOFF_BASE_SECONDS", 4.0, low=0.0, high=60.0)
    AI_BACKOFF_CAP_SECONDS = _env.seconds("AI_BACKOFF_CAP_SECONDS", 10.0, low=0.0, high=300.0)
    AI_CALL_TIMEOUT_SECONDS = _env.seconds("AI_CALL_TIMEOUT_SECONDS", 30.0, low=0.1, high=600.0)
    AI_DEADLINE_SECONDS = _env.seconds("AI_DEADLINE_SECONDS", 90.0, low=0.1, high=1800.0)
    API_METER_SECONDS = _env.seconds("API_METER_SECONDS", 10.0, low=0.0, high=86_400.0)
    AI_ANSWER_TTL = _env.whole("AI_ANSWER_TTL", 86_400, low=60, high=30 * 86_400)
    BREAKER_WINDOW_SECONDS = _env.seconds("BREAKER_WINDOW_SECONDS", 120.0, low=1.0, high=3600.0)
    BREAKER_MIN_CALLS = _env.whole("BREAKER_MIN_CALLS", 5, low=1, high=10_000)
    BREAKER_FAILURE_SHARE = _env.share("BREAKER_FAILURE_SHARE", 0.5)
    BREAKER_SLOW_SHARE = _env.share("BREAKER_SLOW_SHARE", 0.8)
    BREAKER_SLOW_SECONDS = _env.seconds("BREAKER_SLOW_SECONDS", 20.0, low=0.1, high=600.0)
    BREAKER_OPEN_SECONDS = _env.seconds("BREAKER_OPEN_SECONDS", 30.0, low=0.1, high=86_400.0)
    # Longer than any call may take, so that a probe that is still on its way has no rival.
    BREAKER_PROBE_SECONDS = _env.seconds(
        "BREAKER_PROBE_SECONDS", AI_CALL_TIMEOUT_SECONDS + 15.0, low=0.1, high=86_400.0
    )
    SENTRY_DSN = _env.secret("SENTRY_DSN")
    SENTRY_TRACES_SAMPLE_RATE = _env.share("SENTRY_TRACES_SAMPLE_RATE", 0.0)
    OTEL_EXPORTER_OTLP_ENDPOINT = _env.text("OTEL_EXPORTER_OTLP_ENDPOINT")
    OTEL_TRACES_EXPORTER = _env.choice("OTEL_TRACES_EXPORTER", "otlp", ("otlp", "console"))
    # The share of requests whose whole trace is kept.
    OTEL_TRACES_SAMPLER_ARG = _env.share("OTEL_TRACES_SAMPLER_ARG", 1.0)
    # Where people reach this installation, for links in what is sent elsewhere; without it there are no links.
    PUBLIC_URL = next(iter(_env.origins("PUBLIC_URL")), "")
    # Alerts are kept and shown in any case; they are told on the channels that are set up here (docs/alerting.md).
    PAGERDUTY_ROUTING_KEY = _env.secret("PAGERDUTY_ROUTING_KEY")
    PAGERDUTY_URL = _env.text("PAGERDUTY_URL", "https://events.pagerduty.com/v2/enqueue")
    SLACK_WEBHOOK_URL = _env.secret("SLACK_WEBHOOK_URL")
    ALERT_PAGERDUTY_SEVERITIES = _env.words("ALERT_PAGERDUTY_SEVERITIES", "CRITICAL,ERROR", known=_SEVERITIES)
    ALERT_SLACK_SEVERITIES = _env.words("ALERT_SLACK_SEVERITIES", ",".join(_SEVERITIES), known=_SEVERITIES)
    # How many alerts of a severity a channel is told of: beyond it they are counted, and the number is said.
    ALERT_LIMITS = {name: _env.rate(f"ALERT_LIMIT_{name}", _ALERT_LIMITS[name]) for name in _SEVERITIES}
    ALERT_QUIET_SECONDS = _env.whole("ALERT_QUIET_SECONDS", 120, low=15, high=86_400)
    ALERT_BACKLOG_SECONDS = _env.whole("ALERT_BACKLOG_SECONDS", 300, low=1, high=86_400)
    ALERT_BACKLOG_JOBS = _env.whole("ALERT_BACKLOG_JOBS", 1000, low=1, high=10_000_000)
    ALERT_ERROR_SHARE = _env.share("ALERT_ERROR_SHARE", 0.05)
    ALERT_LATENCY_SECONDS = _env.seconds("ALERT_LATENCY_SECONDS", 2.0, low=0.05, high=60.0)
    ALERT_FRAUD_RISK = _env.share("ALERT_FRAUD_RISK", 0.8)
    ALERT_AUTH_FAILURES = _env.whole("ALERT_AUTH_FAILURES", 100, low=1, high=10_000_000)
    SESSION_IDLE_SECONDS = _env.whole("SESSION_IDLE_SECONDS", 30 * 60, low=60, high=86_400)
    SESSION_ABSOLUTE_SECONDS = _env.whole("SESSION_ABSOLUTE_SECONDS", 12 * 3600, low=60, high=7 * 86_400)
    # Revoking works at once (the family's row is read with each request); this bounds what a stolen token is worth.
    ACCESS_TOKEN_SECONDS = _env.whole("ACCESS_TOKEN_SECONDS", 600, low=30, high=600)
    REFRESH_TOKEN_SECONDS = _env.whole("REFRESH_TOKEN_SECONDS", 14 * 86_400, low=600, high=90 * 86_400)
    OIDC_PROVIDERS = _env.sign_on_providers("OIDC_PROVIDERS")
    # Ed25519, 32 bytes in base64: signs the audit trail's seals. Public keys of earlier ones keep theirs valid.
    AUDIT_SIGNING_KEY = _env.key("AUDIT_SIGNING_KEY", DATA_DIR / "audit_signing_key")
    AUDIT_PUBLIC_KEYS = _env.keys("AUDIT_PUBLIC_KEYS")
    # Whom to call about an incident, and after how many minutes the next one (config/environment.py).
    INCIDENT_ESCALATION = _env.escalation("INCIDENT_ESCALATION")
    METRICS_TOKEN = _env.secret("METRICS_TOKEN")
    # For tests and a receiver on a developer's own machine: http and any port, but to loopback addresses alone.
    WEBHOOK_ALLOW_LOOPBACK = _env.flag("WEBHOOK_ALLOW_LOOPBACK", default=False)
    # Retry policies of kinds of jobs that want another than the default, as claims.assess=5/2/60/1.
    JOB_RETRIES = _env.retries("JOB_RETRIES")
    LOG_FORMAT = _env.text("LOG_FORMAT", "console" if DEBUG or sys.stderr.isatty() else "json")
except EnvironmentProblem as problem:
    stop_with(problem)

if TENANT_BASE_HOST:
    ALLOWED_HOSTS += [TENANT_BASE_HOST, f".{TENANT_BASE_HOST}"]
MAX_UPLOAD_BYTES = MAX_UPLOAD_SIZE_MB * 1024 * 1024
_key_file = DATA_DIR / "secret_key"
if not SECRET_KEY and _key_file.is_file():
    SECRET_KEY = _key_file.read_text(encoding="utf-8").strip()
if not SECRET_KEY:
    # Only tests and first-time commands get here; `quickstart` writes the file, production sets the variable
    # (a server refuses to start without one, see config/checks.py).
    SECRET_KEY = "unset-" + secrets.token_urlsafe(48)
SECRET_KEY_IS_SET = not SECRET_KEY.startswith("unset-")

INSTALLED_APPS = [
    "django_prometheus",
    "observability",
    "tenancy",
    "aiassist",
    "claims",
    "reviews",
    "config",
    "tenancy.admin_config.OperatorAdminConfig",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.messages",
    "whitenoise.runserver_nostatic",
    "django.contrib.staticfiles",
    "corsheaders",
    "rest_framework",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "django_filters",
    "django_htmx",
    "django_celery_results",
    "guardian",
    "django_ratelimit",
    # Single sign-on; only tenancy/sign_on_allauth.py speaks to it, and none of its pages is routed.
    "allauth",
    "allauth.account",
    "allauth.socialaccount",
    "allauth.socialaccount.providers.openid_connect",
]

MIDDLEWARE = [
    "django_prometheus.middleware.PrometheusBeforeMiddleware",
    "observability.http_metrics.RequestMetricsMiddleware",
    "config.proxies.TrustedProxyMiddleware",
    "observability.middleware.RequestContextMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "django_permissions_policy.PermissionsPolicyMiddleware",
    "corsheaders.middleware.CorsMiddleware",
    "csp.middleware.CSPMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "tenancy.middleware.MembershipMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "config.error_views.PlatformErrorMiddleware",
]

ROOT_URLCONF = "config.urls"
WSGI_APPLICATION = "config.wsgi.application"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "config.chrome.chrome",
            ],
        },
    }
]

AUTH_USER_MODEL = "tenancy.User"
AUTHENTICATION_BACKENDS = [
    "django.contrib.auth.backends.ModelBackend",
    "tenancy.admin_permissions.OperatorPermissions",
    "guardian.backends.ObjectPermissionBackend",
]
# Guardian: exceptions to roles, one claim for one person (claims/visibility.py). Nobody is anonymous here, and User and
# Group keep their own methods.
ANONYMOUS_USER_NAME = None
GUARDIAN_MONKEY_PATCH_USER = GUARDIAN_MONKEY_PATCH_GROUP = False
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 12}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]
PASSWORD_HASHERS = (
    ["django.contrib.auth.hashers.MD5PasswordHasher"]  # tests only: hashing is not what they measure
    if TESTING
    else ["django.contrib.auth.hashers.Argon2PasswordHasher", "django.contrib.auth.hashers.PBKDF2PasswordHasher"]
)
SOCIALACCOUNT_ADAPTER = "tenancy.sign_on_allauth.SignOnAdapter"
SOCIALACCOUNT_ONLY = True  # its own accounts, by password or e-mail, are off
ACCOUNT_EMAIL_VERIFICATION = "none"
LOGIN_URL = "sign-in"
LOGIN_REDIRECT_URL = "desk:queue"
LOGOUT_REDIRECT_URL = "sign-in"

LANGUAGE_CODE = "en-gb"
TIME_ZONE = "UTC"
USE_I18N = True
USE_TZ = True
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

STATIC_URL = "/static/"
STATIC_ROOT = DATA_DIR / "static"
STATICFILES_DIRS = [BASE_DIR / "static"]
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {
        "BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"
        if TESTING
        else "whitenoise.storage.CompressedManifestStaticFilesStorage"
    },
}
MEDIA_ROOT = DATA_DIR / "media"
QUARANTINE_DIR = DATA_DIR / "quarantine"
# Claim videos are nobody's business but this user's and, where nginx hands them out, its group's.
FILE_UPLOAD_PERMISSIONS = 0o640
FILE_UPLOAD_DIRECTORY_PERMISSIONS = 0o750
# Bodies other than streamed files; the strict JSON parser caps again by depth and size.
DATA_UPLOAD_MAX_MEMORY_SIZE = 1024 * 1024
DATA_UPLOAD_MAX_NUMBER_FIELDS = 100
DATA_UPLOAD_MAX_NUMBER_FILES = 100

if CACHE_URL:
    _redis: dict[str, Any] = {
        "BACKEND": "django_redis.cache.RedisCache",
        "LOCATION": CACHE_URL,
        "OPTIONS": {"SOCKET_CONNECT_TIMEOUT": 0.5, "SOCKET_TIMEOUT": 0.5},
    }
    CACHES = {
        # A cached page part is a gift: while Redis is away, everything is simply not in the cache.
        "default": {
            **_redis,
            "BACKEND": "observability.caches.RedisCache",
            "OPTIONS": {**_redis["OPTIONS"], "IGNORE_EXCEPTIONS": True},
        },
        # A count is not: who counts decides what an unknown count means.
        "limits": {**_redis, "KEY_PREFIX": "limits"},
    }
else:
    CACHES = {
        "default": {"BACKEND": "observability.caches.LocalCache", "LOCATION": "claimwright"},
        "limits": {"BACKEND": "tenancy.count_cache.CountCache"},
    }
    # "Not officially supported": the library knows its caches by name. Ours adds by an insert and counts by one
    # conditional update, in the database that all processes share (tests/tenancy/test_count_cache.py).
    SILENCED_SYSTEM_CHECKS = ["django_ratelimit.W001"]
RATELIMIT_USE_CACHE = "limits"

# --- API -------------------------------------------------------------------------------------------------------
REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": [
        "tenancy.authentication.ApiKeyAuthentication",
        "tenancy.authentication.AccessTokenAuthentication",
        "tenancy.authentication.Session",
    ],
    "DEFAULT_PERMISSION_CLASSES": ["tenancy.api_permissions.ScopePermission"],
    "DEFAULT_PARSER_CLASSES": ["tenancy.parsers.StrictJSONParser"],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "EXCEPTION_HANDLER": "config.http_errors.problem_response_for",
    "DEFAULT_SCHEMA_CLASS": "config.schema.ApiSchema",
    "UNAUTHENTICATED_USER": None,
    "COERCE_DECIMAL_TO_STRING": True,
    "DATETIME_FORMAT": "iso-8601",
}
SPECTACULAR_SETTINGS = {
    "TITLE": "Claimwright",
    "VERSION": "1",
    "OAS_VERSION": "3.1.1",
    "DESCRIPTION": "Dashcam claims in, assessed evidence out, people decide.",
    "SERVE_INCLUDE_SCHEMA": False,
    "SCHEMA_PATH_PREFIX": r"/api/v1",
    "SWAGGER_UI_DIST": "SIDECAR",
    "SWAGGER_UI_FAVICON_HREF": "SIDECAR",
    "COMPONENT_SPLIT_REQUEST": True,
    "SERVE_AUTHENTICATION": [],
    "ENUM_GENERATE_CHOICE_DESCRIPTION": False,
    "ENUM_NAME_OVERRIDES": {
        "ClaimStatus": "claims.choices.ClaimStatus.choices",
        "TenantStatus": "tenancy.choices.TenantStatus.choices",
        "TaskStatus": "observability.choices.JobState.choices",
        "ReviewPriority": "claims.choices.ReviewPriority.choices",
        "Severity": "aiassist.types.Severity",
        "PipelineStage": "aiassist.types.Stage",
        "EvidenceStage": "aiassist.types.EvidenceStage",
        "OutcomeEnum": "aiassist.types.Outcome",
        "CoverageState": "aiassist.monitoring.coverage.CoverageState",
        "BiasState": "aiassist.monitoring.bias.BiasState",
        "BiasLevel": "aiassist.monitoring.bias.BiasLevel",
        "BiasOutcome": "aiassist.monitoring.bias.Outcome",
        "DriftLevel": "aiassist.monitoring.drift.DriftLevel",
        "DriftStatus": "aiassist.monitoring.health.DriftStatus",
        "HealthStatus": "aiassist.monitoring.health.HealthStatus",
        "LabelState": "reviews.choices.LabelState.choices",
        "IncidentKind": "observability.incidents.choices.IncidentKind.choices",
        "IncidentSeverity": "observability.incidents.choices.IncidentSeverity.choices",
        "IncidentStatus": "observability.incidents.choices.IncidentStatus.choices",
        "StepState": "observability.incidents.choices.StepState.choices",
        "TimelineKind": "observability.incidents.choices.TimelineKind.choices",
        "AlertEventName": "observability.alerts.choices.AlertEvent.choices",
        "AlertSeverity": "observability.alerts.choices.AlertSeverity.choices",
        "AlertState": "observability.alerts.choices.AlertState.choices",
        "AlertChannel": "observability.alerts.choices.ChannelName.choices",
        "AlertEntryKind": "observability.alerts.choices.EntryKind.choices",
        "AlertTellingState": "observability.alerts.choices.TellingState.choices",
        "AlertStep": "observability.alerts.choices.Step.choices",
        "DeliveryState": "tenancy.choices.DeliveryState.choices",
    },
    "PREPROCESSING_HOOKS": ["config.schema.only_the_api"],
    "POSTPROCESSING_HOOKS": ["drf_spectacular.hooks.postprocess_schema_enums", "config.schema.finish_schema"],
}

# --- Jobs ------------------------------------------------------------------------------------------------------
BROKER_DIR = DATA_DIR / "broker"
CELERY_BROKER_TRANSPORT_OPTIONS: dict[str, object] = {}
if CELERY_BROKER_URL.startswith("filesystem"):
    # 0.05 s: at kombu's default of 1 s the queue moves 45 tasks a second and feels asleep.
    CELERY_BROKER_TRANSPORT_OPTIONS = {
        "data_folder_in": str(BROKER_DIR / "queue"),
        "data_folder_out": str(BROKER_DIR / "queue"),
        "control_folder": str(BROKER_DIR / "control"),
        "polling_interval": 0.05,
    }
elif CELERY_BROKER_URL.startswith("redis"):
    # Without these three a task in flight at a kill comes back after an hour.
    CELERY_BROKER_TRANSPORT_OPTIONS = {
        "visibility_timeout": 3600,
        "unacked_restore_interval": 2,
        "unacked_restore_throttle": 1,
    }
CELERY_TASK_DEFAULT_QUEUE = "claimwright"
CELERY_TASK_ACKS_LATE = True
CELERY_TASK_REJECT_ON_WORKER_LOST = True
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_WORKER_MAX_TASKS_PER_CHILD = 200
CELERY_TASK_TIME_LIMIT = 3600 + 60  # kills a pool child that hangs; a little after its lease was given up
CELERY_WORKER_HIJACK_ROOT_LOGGER = False
CELERY_WORKER_REDIRECT_STDOUTS = False
CELERY_WORKER_ENABLE_REMOTE_CONTROL = False  # heartbeat rows tell who lives
# A job in hand at a stop is handed back by its row (observability/running.py), not by the broker.
CELERY_WORKER_CANCEL_LONG_RUNNING_TASKS_ON_CONNECTION_LOSS = False
CELERY_BROKER_CONNECTION_TIMEOUT = 2
CELERY_RESULT_BACKEND = "django-db"
CELERY_RESULT_EXPIRES = 7 * 86_400
CELERY_TASK_SERIALIZER = CELERY_RESULT_SERIALIZER = "json"
CELERY_ACCEPT_CONTENT = ["json"]
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_TIMEZONE = "UTC"
# The lease outlives a missed heartbeat; a killed worker's claim is taken over after this time.
JOB_LEASE_SECONDS = _env.whole("JOB_LEASE_SECONDS", 30, low=2, high=3600)
# Work that hangs is given up after this time; the longest clip that may be uploaded takes a fraction of it.
JOB_LONGEST_SECONDS = 3600
# Attempts, first pause, longest pause (seconds), share of each pause left to chance; JOB_RETRIES has those of kinds.
JOB_RETRY_DEFAULT = (5, 2.0, 60.0, 1.0)
JOB_SWEEP_SECONDS = 1.0
# How often it is looked whether anything is wrong, and how often a process writes down how its requests went.
ALERT_SWEEP_SECONDS = 15.0
REQUEST_MINUTES_WRITE_SECONDS = 0.0 if TESTING else 10.0  # 0: no thread; tests write when they want to read
STAND_IN_FOR_WORKERS = not TESTING  # a thread, too

# What one breaker wants otherwise than BREAKER_*. These three are looked at every two seconds, and only failures count.
_QUICK = {"window_seconds": 30.0, "min_calls": 2, "open_seconds": 5.0, "probe_seconds": 10.0}
BREAKERS: dict[str, Any] = {"broker": _QUICK, "cache": _QUICK, "storage": _QUICK}

# --- Security --------------------------------------------------------------------------------------------------
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": ["'none'"],
        "script-src": ["'self'"],
        "style-src": ["'self'"],
        "img-src": ["'self'", "data:"],
        "media-src": ["'self'"],
        "font-src": ["'self'"],
        "connect-src": ["'self'"],
        "manifest-src": ["'self'"],
        "base-uri": ["'none'"],
        # A form's redirect counts: the sign-on button leads to the provider.
        "form-action": ["'self'", *sorted({"/".join(p["issuer"].split("/")[:3]) for p in OIDC_PROVIDERS})],
        "frame-ancestors": ["'none'"],
    }
}
# Nothing here needs a sensor, a payment or another window's screen; the player may fill the screen.
_UNUSED_POWERS = "accelerometer autoplay camera display-capture encrypted-media geolocation gyroscope magnetometer"
_UNUSED_POWERS += " microphone midi payment usb xr-spatial-tracking"
PERMISSIONS_POLICY: dict[str, list[str]] = {"fullscreen": ["self"]} | {power: [] for power in _UNUSED_POWERS.split()}
# Other origins may call the API with a key or token of their own; cookies never go with such a request.
CORS_ALLOWED_ORIGINS = CORS_ORIGINS
CORS_URLS_REGEX = r"^/api/v1/"
CORS_ALLOW_CREDENTIALS = False
CORS_ALLOW_HEADERS = [
    "authorization",
    "content-type",
    "idempotency-key",
    "if-match",
    "if-none-match",
    "range",
    "x-api-key",
    "x-request-id",
    "x-tenant-id",
]
CORS_EXPOSE_HEADERS = [
    "Content-Range",
    "ETag",
    "Idempotency-Replayed",
    "Location",
    "RateLimit",
    "RateLimit-Policy",
    "Retry-After",
    "X-Request-ID",
]
CORS_PREFLIGHT_MAX_AGE = 3600
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = "Lax"
SESSION_ENGINE = "tenancy.session_store"
SESSION_COOKIE_AGE = SESSION_ABSOLUTE_SECONDS
CSRF_COOKIE_SAMESITE = "Lax"
CSRF_COOKIE_HTTPONLY = True
CSRF_FAILURE_VIEW = "config.error_views.csrf_failure"
SECURE_CONTENT_TYPE_NOSNIFF = True
SECURE_REFERRER_POLICY = "same-origin"
SECURE_CROSS_ORIGIN_OPENER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"
if FORCE_HTTPS:
    SECURE_SSL_REDIRECT = True
    SECURE_REDIRECT_EXEMPT = [r"^health(/live|/ready)?$", r"^metrics$"]  # asked for inside, without TLS
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
    SECURE_HSTS_SECONDS = 31_536_000
    SECURE_HSTS_INCLUDE_SUBDOMAINS = True
    SECURE_HSTS_PRELOAD = True
    SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = True
    # The prefix makes browsers refuse such a cookie from a subdomain, over plain HTTP, or for a part of the site.
    SESSION_COOKIE_NAME, CSRF_COOKIE_NAME = "__Host-sessionid", "__Host-csrftoken"

# --- Logs (configured by observability.apps) -------------------------------------------------------------------
LOGGING_CONFIG = None
# --- Metrics: processes that share this folder add up; it must be there before the client library is imported ---
_metrics_dir = _env.text("PROMETHEUS_MULTIPROC_DIR")
if _metrics_dir:
    Path(_metrics_dir).mkdir(parents=True, exist_ok=True)
PROMETHEUS_EXPORT_MIGRATIONS = False
