"""Named failures of fetching weights."""

from observability.errors import NotFound, PlatformError, Unavailable, UnusableContent


class WeightsMismatch(UnusableContent):
    code = "weights_hash_mismatch"
    message = "The file is not the one that the manifest names."


class WeightsNotInFolder(NotFound):
    code = "weights_not_in_folder"
    message = "The folder holds neither the weights nor what they are made of."


class WeightsClientMissing(Unavailable):
    code = "weights_client_missing"
    message = "The package manager that has the weights is not installed here."


class WeightsNotReached(Unavailable):
    code = "weights_not_reached"
    message = "The package registry did not give the weights in time."


class WeightsNotWritable(PlatformError):
    code = "weights_not_writable"
    message = "The folder of the models cannot be written."
