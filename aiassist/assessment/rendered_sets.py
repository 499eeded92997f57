"""Which rendered clips the severity model learns from, is calibrated on and is tested on; their seeds never meet."""

from __future__ import annotations

from itertools import islice

from aiassist.rendering.sampling import Purpose, Variety, sample_specs
from aiassist.rendering.scenario import ClipSpec

# Small and short enough to render hundreds in an hour on two cores; measuring works at 320 x 180 whatever the size.
SMALL_CLIPS = Variety(
    sizes=((320, 180), (320, 180), (480, 270)), frame_rates=(20, 25), durations=(5.5, 7.0), silent_share=0.25
)
# Quiet clips and edited ones come from further down the same row of seeds than any balanced set reaches.
_QUIET_OFFSET, _EDITED_OFFSET = 1_000_000, 2_000_000
# In the row every fourth clip is quiet.
_ROW_OF_CLASSES = 4


def balanced_specs(purpose: Purpose, count: int) -> tuple[ClipSpec, ...]:
    """Return clips whose four severities take turns."""
    return sample_specs(purpose, count, variety=SMALL_CLIPS)


def quiet_specs(purpose: Purpose, count: int) -> tuple[ClipSpec, ...]:
    """Return clips without an impact on the insured vehicle: calm drives, near misses, crashes of others and traps."""
    row = sample_specs(purpose, count * _ROW_OF_CLASSES, offset=_QUIET_OFFSET, variety=SMALL_CLIPS)
    return tuple(islice((spec for spec in row if spec.delta_v_kmh is None), count))


def edited_specs(purpose: Purpose, count: int) -> tuple[ClipSpec, ...]:
    """Return spliced, frozen, looped, black and test-card clips."""
    return sample_specs(purpose, count, offset=_EDITED_OFFSET, edited_share=1.0, variety=SMALL_CLIPS)
