"""The yardstick of `benchmarks.upload`: Django's own multipart parser that hashes and writes, and does nothing else."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable
from typing import Any

from django.core.files.uploadedfile import UploadedFile
from django.core.files.uploadhandler import TemporaryFileUploadHandler
from django.core.handlers.wsgi import WSGIRequest

import config.wsgi  # noqa: F401  # the same process as the product's, so that memory and imports compare


class HashingHandler(TemporaryFileUploadHandler):
    """Django's handler for large files (64 KB chunks into a temporary file), with a running SHA-256."""

    def new_file(self, *args: Any, **kwargs: Any) -> None:
        super().new_file(*args, **kwargs)
        self.sha256 = hashlib.sha256()

    def receive_data_chunk(self, raw_data: bytes, start: int) -> bytes | None:
        self.sha256.update(raw_data)
        return super().receive_data_chunk(raw_data, start)


def application(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
    """Take the upload and answer with its hash."""
    if environ["REQUEST_METHOD"] != "POST":
        start_response("204 No Content", [])
        return []
    request = WSGIRequest(environ)
    handler = HashingHandler(request)
    request.upload_handlers = [handler]
    video = request.FILES["video"]
    assert isinstance(video, UploadedFile)
    size = video.size
    body = f"{handler.sha256.hexdigest()} {size}".encode()
    request.close()
    start_response("200 OK", [("Content-Type", "text/plain"), ("Content-Length", str(len(body)))])
    return [body]
