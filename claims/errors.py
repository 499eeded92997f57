"""Named failures of the claim file."""

from observability.errors import (
    Conflict,
    Gone,
    InvalidInput,
    NotFound,
    TooLarge,
    Unavailable,
    UnsupportedContentType,
    UnusableContent,
)


class ClaimNotFound(NotFound):
    code = "not_found"
    message = "There is no such claim."


class AssessmentNotReady(NotFound):
    code = "assessment_not_ready"
    message = "This claim has not been assessed yet."


class AssessmentNotFound(NotFound):
    code = "assessment_not_found"
    message = "This claim has no such version of an assessment."


class ClaimNumberExists(Conflict):
    code = "claim_number_exists"
    message = "Another claim already has this number."


class MoveNotAllowed(Conflict):
    code = "move_not_allowed"
    message = "The claim is not in a state that allows this."


class StaleClaim(Conflict):
    code = "stale"
    message = "The claim was changed in the meantime."


class NotReassessable(Conflict):
    code = "not_reassessable"
    message = "Only a claim that awaits review or more information is assessed again."


class ClaimDecided(NotReassessable):
    code = "claim_decided"
    message = "A person has decided this claim; it takes no new assessment unless it is reopened."


class FirstAssessmentRunning(NotReassessable):
    code = "assessment_running"
    message = "This claim's first assessment is not finished."


class ReassessmentRunning(Conflict):
    code = "reassessment_running"
    message = "These claims are being assessed again already, by the tasks named."


class NothingToReassess(Conflict):
    code = "nothing_to_reassess"
    message = "No claim is left that could be assessed again."


class AlreadyRestricted(Conflict):
    code = "already_restricted"
    message = "This claim is restricted already."


class NotRestricted(Conflict):
    code = "not_restricted"
    message = "This claim is not restricted."


class GrantNotFound(NotFound):
    code = "not_found"
    message = "There is no such grant."


class FileTooLarge(TooLarge):
    code = "file_too_large"
    message = "The file is larger than allowed."


class NotAVideo(UnsupportedContentType):
    code = "unsupported_media_type"
    message = "The content of this file is no video format that is accepted here."


class EvidenceNotFound(NotFound):
    code = "not_found"
    message = "There is no such picture."


class MalwareFound(UnusableContent):
    code = "malware_found"
    message = "The file was refused by the virus scanner."


class ScannerUnavailable(Unavailable):
    code = "scanner_unavailable"
    message = "The virus scanner gave no verdict, so the file was not taken; try again later."


class StorageUnavailable(Unavailable):
    code = "storage_unavailable"
    jobs_wait = True
    message = "Files cannot be stored right now, so nothing was taken; try again later."


class EmptyFile(InvalidInput):
    code = "empty_file"
    message = "The file is empty."


class IncompleteUpload(InvalidInput):
    code = "incomplete_upload"
    message = "The connection ended before the whole upload had arrived."


class VideoNotStored(NotFound):
    code = "video_not_stored"
    message = "The video of this claim is not in the store."


class ClaimOpen(Conflict):
    code = "claim_open"
    message = "This claim is not decided yet; its data is needed until it is."


class LegalHold(Conflict):
    code = "legal_hold"
    message = "A legal hold is on this claim: nothing of it is erased until the hold is lifted."


class ClaimErased(Gone):
    code = "claim_erased"
    message = "The personal data of this claim was erased."


class MediaRemoved(Gone):
    code = "media_removed"
    message = "The video and pictures of this claim were removed."


class SubjectNotFound(NotFound):
    code = "subject_not_found"
    message = "No claim of this person is kept."
