"""How data reaches a model: as JSON between markers that the data itself cannot write, never as instructions."""

from __future__ import annotations

import hashlib
import json

from aiassist.gateway.types import VisionRequest
from aiassist.types import Keyframe

MAX_CLAIMANT_CHARACTERS = 4_000  # a long accident report; more would only push the pictures out of the window


def measured_block(request: VisionRequest) -> str:
    """Write measured facts and the claimant's words as one JSON document inside a delimited block.

    JSON escapes every quote and line break, and the marker is a hash of the content, so no text can close the block.
    """
    document = json.dumps(
        {"measured": request.measured, "claimant_text": request.claimant_text[:MAX_CLAIMANT_CHARACTERS]},
        ensure_ascii=True,
        sort_keys=True,
        separators=(",", ":"),
    )
    marker = hashlib.sha256(document.encode("ascii")).hexdigest()[:16]
    return f"<data-{marker}>\n{document}\n</data-{marker}>"


def picture_caption(picture: Keyframe) -> str:
    """Say when the picture that follows was taken."""
    return f"Picture at {picture.at_seconds:.2f} s"
