"""HTTP numbers: which status goes with which message. Everything else that is refused is 400."""

from __future__ import annotations

from collections.abc import Mapping

BAD_REQUEST = 400

STATUS: Mapping[str, int] = {
    "Base.AccessUnauthorized": 401,
    "Base.NoValidSession": 401,
    "Base.ResourceAtUriUnauthorized": 401,
    "IDRAC.SYS415": 401,
    "IDRAC.SYS416": 401,
    "Base.InsufficientPrivilege": 403,
    "Base.AccessForbidden": 403,
    "IDRAC.SYS479": 403,
    "Base.ResourceMissingAtURI": 404,
    "Base.ResourceNotFound": 404,
    "Base.InvalidURI": 404,
    "IDRAC.SYS403": 404,
    "Base.OperationNotAllowed": 405,
    "IDRAC.SYS402": 405,
    "Jobfish.NotAcceptable": 406,
    "Base.ResourceInUse": 409,
    "Base.ActionParameterValueConflict": 409,
    "Base.PreconditionFailed": 412,
    "Base.PayloadTooLarge": 413,
    "Base.PreconditionRequired": 428,
    "IDRAC.SYS404": 428,
    "Base.HeaderInvalid": 415,
    "IDRAC.SYS401": 415,
    "Base.InternalError": 500,
    "Base.QueryParameterUnsupported": 501,
    "Base.CreateLimitReachedForResource": 503,
    "Base.ServiceTemporarilyUnavailable": 503,
    "Base.SessionLimitExceeded": 503,
}


def status_of(name: str) -> int:
    """The status for a registry message, by its name ("Base.ResourceInUse")."""
    return STATUS.get(name, BAD_REQUEST)
