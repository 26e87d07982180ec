"""What keeps requests from being done: each error with its status, a sentence, and what is wrong with which value."""

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any, Literal

from pydantic import BaseModel, Field

# Where Pydantic's own words say little to the person who sent the value.
MESSAGES = {
    "extra_forbidden": "This is not a known field",
    "missing": "This field is required",
    "model_attributes_type": "This must be a JSON object, sent as application/json",
    "string_too_short": "This must not be blank",
}
RETRY = {"Retry-After": "5"}  # seconds
LISTED = 100  # mistakes of a request that are told one by one; the others are counted
SHOWN = 200  # characters of what came with a request
CLOSE = {"Connection": "close"}
SIGN_IN = {"WWW-Authenticate": "Bearer"}


class FieldError(BaseModel):
    """What is wrong with one value of a request."""

    location: Literal["body", "path", "query", "header", "cookie"]
    field: str = Field(description="Empty when it is about the whole body", examples=["price"])
    message: str = Field(examples=["Input should be greater than 0"])
    code: str = Field(
        description="What kind of mistake it is, for programs: Pydantic's name for it, or ours",
        examples=["greater_than"],
    )
    context: dict[str, int | float | str] | None = Field(
        None, description="The limits that the message speaks of", examples=[{"gt": 0}]
    )


class RowFieldError(FieldError):
    """What is wrong with one value of a row of a file."""

    line: int = Field(description="The line at which the row starts; the first of the file is 1", examples=[7])


class ApiError(Exception):
    """What keeps a request from being done, as a status and a sentence."""

    status = 500
    detail = ""
    headers: Mapping[str, str] = {}
    errors: Sequence[FieldError] = ()
    members: Mapping[str, int] = {}  # what the problem document says besides


class UnexpectedError(ApiError):
    """A mistake of this program's own."""

    detail = "Something went wrong on our side; it has been logged. Try again, and report it if it stays."
    headers = CLOSE  # which Uvicorn does after an exception


class NotSignedInError(ApiError):
    """There is no token, or one that does not let its holder in; the message says why."""

    status = 401
    headers = SIGN_IN

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.detail = reason


class OverloadedError(ApiError):
    """As many requests are under way as can be; nothing was done for this one."""

    status = 503
    detail = "Too many requests are under way at the moment. Nothing was done; try again in a second."
    headers: Mapping[str, str] = {"Retry-After": "1"}


class InvalidHttpError(ApiError):
    """What was sent is no request of HTTP/1.1."""

    status = 400
    detail = "This is no request of HTTP/1.1: its method, its address or one of its headers cannot be read."


class UrlTooLongError(ApiError):
    """The address of a request is longer than any that means something here."""

    status = 414
    detail = "The address has more than 16,384 characters. Ask for less at once."


class HeadTooLargeError(ApiError):
    """The headers of a request are more than the server keeps."""

    status = 431
    detail = "The headers have more than 65,536 bytes, or are more than 200."


class HeadTooSlowError(ApiError):
    """The head of a request did not arrive in time."""

    status = 408
    detail = "The headers did not arrive within 10 seconds, and nothing was done. Send the request again."


class BodyTooLargeError(ApiError):
    """A body has more bytes than any product needs."""

    status = 413

    def __init__(self, limit: int) -> None:
        self.detail = f"The body has more than the {limit:,} bytes that one product may have. Send many as a file."
        super().__init__(self.detail)


class BodyTooSlowError(ApiError):
    """A body did not arrive in time."""

    status = 408

    def __init__(self, seconds: float) -> None:
        self.detail = f"The body did not arrive within {seconds:g} seconds, and nothing was done. Send it again."
        super().__init__(self.detail)


class IdentityProviderUnavailableError(ApiError):
    """The keys that tokens are checked with cannot be fetched."""

    status = 503
    detail = "The identity provider does not answer. Try again in a few seconds."
    headers = RETRY


class DatabaseUnavailableError(ApiError):
    """The database did not do what it was asked, for a reason that may pass; nothing was done."""

    status = 503
    reason = "The database does not answer."
    headers = RETRY

    def __init__(self, reason: str = reason) -> None:
        self.reason = reason
        self.detail = f"{reason} Try again in a few seconds."
        super().__init__(self.detail)


class UnknownOutcomeError(ApiError):
    """The database was lost while it made a change: nobody can say whether it was made."""

    reason = "The connection to the database was lost during a change, which may or may not have been made."
    detail = f"{reason} Look before you send it again; a create with an Idempotency-Key can be sent again as it is."


class FilesBusyError(ApiError):
    """So many files are on their way that no other was begun."""

    status = 503
    detail = "As many files are being imported and exported as can be at once. Try again in a few seconds."
    headers = RETRY


class NotReadyError(ApiError):
    """Requests cannot be served; the message says why."""

    status = 503
    headers = RETRY

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.detail = reason


class UnreadableBodyError(ApiError):
    """A body says it is JSON and cannot be read as such."""

    status = 400
    detail = "The body cannot be read: send JSON in UTF-8."


class InvalidRequestError(ApiError):
    """One or more values of a request are not what they have to be."""

    status = 422

    def __init__(self, errors: Sequence[FieldError], unlisted: int = 0) -> None:
        self.errors = errors
        told = [f"{e.field}: {e.message}" if e.field else e.message for e in errors]
        self.detail = "; ".join([*told, f"and {unlisted:,} more mistakes"] if unlisted else told)
        super().__init__(self.detail)


class ProductNotFoundError(ApiError):
    """No product has the id that was asked for."""

    status = 404
    detail = "Product not found"


class PreconditionFailedError(ApiError):
    """The product is not the version that the change was meant for."""

    status = 412
    detail = "Somebody has changed the product since you read it. Read it again and decide what to do with your change."

    def __init__(self, etag: str) -> None:
        super().__init__(self.detail)
        self.headers = {"ETag": etag}


class PreconditionRequiredError(ApiError):
    """The deployment wants every change to say which version it is meant for."""

    status = 428
    detail = "Say which version you changed: send the product's ETag in the header If-Match."


class InvalidHeaderError(ApiError):
    """A header has a value that means nothing."""

    status = 422

    def __init__(self, header: str, message: str) -> None:
        self.detail = f"{header}: {message}"
        super().__init__(self.detail)
        self.errors = [FieldError(location="header", field=header.lower(), message=message, code="invalid_header")]


class ReusedKeyError(ApiError):
    """An idempotency key came with another body before."""

    status = 422
    detail = "This Idempotency-Key was used for another product. Use a new one for every product."
    errors = (
        FieldError(
            location="header", field="idempotency-key", message="was used for another product", code="reused_key"
        ),
    )


class ImportRefusedError(ApiError):
    """A file could not be imported, and nothing was written."""

    def __init__(
        self, detail: str, *, status: int = 422, code: str = "", refused: int = 0, rows: Sequence[RowFieldError] = ()
    ) -> None:
        super().__init__(detail)
        self.status, self.detail = status, detail
        self.errors = rows or [FieldError(location="body", field="", message=detail, code=code)]
        self.members = {"created": 0, "refused": refused}


class ReusedFileKeyError(ApiError):
    """The idempotency key of an import came with another file before."""

    status = 422
    detail = "This Idempotency-Key was used for another file. Use a new one for every file."
    errors = (
        FieldError(location="header", field="idempotency-key", message="was used for another file", code="reused_key"),
    )


class ImportUnderWayError(ApiError):
    """Another request imports with the same idempotency key."""

    status = 409
    detail = "Another request imports with this Idempotency-Key. Ask for its import, or send the file again later."
    headers = RETRY


class ImportCancelledError(ApiError):
    """Somebody ended an import that was under way."""

    status = 409
    detail = "The import was cancelled; nothing was imported."
    errors = (FieldError(location="body", field="", message="was cancelled", code="cancelled"),)


class ImportOverError(ApiError):
    """An import that is to be cancelled is over."""

    status = 409
    detail = "The import is over and cannot be cancelled any more."


class ImportChangedError(ApiError):
    """An import would not do any more what its preview said, or somebody changed what it was about to change."""

    status = 409
    detail = "The catalogue has changed since the import was looked at, and nothing was imported. Look at it again."
    errors = (FieldError(location="query", field="confirm", message="is of another catalogue", code="confirmation"),)


class ImportNotUndoableError(ApiError):
    """There is nothing to undo."""

    status = 409
    detail = "Only an import that is done can be undone, and one whose changes were kept."


class ImportNotFoundError(ApiError):
    """The caller has no such import."""

    status = 404
    detail = "There is no such import, or it is more than a day old."


class ImportOutcomeUnknownError(ApiError):
    """The database went away while an import was being completed."""

    status = 500
    detail = "The database went away while the import was being completed. Ask for the import before you send it again."

    def __init__(self, location: str) -> None:
        super().__init__(self.detail)
        self.headers = {"Location": location}


class ConfirmationError(ApiError):
    """A change of many products was not confirmed, or for another number of products than it would change."""

    def __init__(self, matching: int, confirmed: int | None, *, done: str = "deleted", do: str = "delete") -> None:
        self.status = 422 if confirmed is None else 409
        not_done = f"Nothing was {done}."
        self.detail = f"{not_done} This would {do} {matching} products; to do it, add confirm={matching}."
        if confirmed is not None:
            self.detail = f"{not_done} {confirmed} were confirmed, but {matching} products match now. Look again."
        super().__init__(self.detail)
        context: dict[str, int | float | str] = {"matching": matching}
        message = f"must be the number of products to {do}, {matching}"
        code = "confirmation"
        self.errors = [FieldError(location="query", field="confirm", message=message, code=code, context=context)]


class PriceOutOfRangeError(ApiError):
    """A change of many prices would leave some that no product can have."""

    status = 422

    def __init__(self, refused: int) -> None:
        self.detail = (
            f"Nothing was changed. {refused} products would cost nothing or less, or more than 9,999,999,999.99. "
            "Leave them out, for example with price_min, or change the prices by less."
        )
        super().__init__(self.detail)
        message = f"would be out of range for {refused} products"
        self.errors = [
            FieldError(
                location="body", field="price", message=message, code="price_out_of_range", context={"refused": refused}
            )
        ]


class NotInBinError(ApiError):
    """None of the products to take back is in the bin."""

    status = 404
    detail = "None of these products is in the bin. What was deleted can be taken back once, for 30 days."


class RestoreConflictError(ApiError):
    """A product cannot be taken back as it was: another has its id."""

    status = 409
    detail = "Nothing was restored: another product has the id of one of these by now."


def field_error(error: Any) -> FieldError:
    """Return one of Pydantic's errors as ours; its location begins with the part of the request it is in."""
    location, *path = error["loc"]
    code, context = error["type"], error.get("ctx", {})
    limits = {name: _plain(limit) for name, limit in context.items() if name != "error"} or None
    if code == "json_invalid":  # its path is a character offset, not a field
        message = f"The body is not valid JSON: {context['error']}"
        return FieldError(location="body", field="", message=message, code=code)
    field = shown(".".join(str(part) for part in path))
    message = MESSAGES.get(code, error["msg"])
    if not field and code == "missing":
        message = "A JSON body is required"
    elif code == "value_error" and "error" in context:  # ours: without Pydantic's "Value error, " in front
        message = str(context["error"])
    return FieldError(location=location, field=field, message=shown(message), code=code, context=limits)


def shown(text: str) -> str:
    """Return what a problem document says of a text that came with a request: a line of it, and whole characters."""
    short = text if len(text) <= SHOWN else f"{text[:SHOWN]}…"
    return short.encode(errors="replace").decode()


def _plain(limit: object) -> int | float | str:
    return limit if isinstance(limit, int | float | str) else float(limit) if isinstance(limit, Decimal) else str(limit)
