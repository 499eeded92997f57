"""Named failures of a tenant's fraud models."""

from observability.errors import Conflict, NotFound


class FraudModelNotFound(NotFound):
    message = "There is no such fraud model."


class FraudModelRefused(Conflict):
    code = "fraud_model_refused"
    message = "This model did not pass the gate, so it may not score claims."


class FraudModelNotWaiting(Conflict):
    code = "fraud_model_not_waiting"
    message = "This model is active already."
