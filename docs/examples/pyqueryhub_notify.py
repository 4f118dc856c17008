"""Messages from notebooks through PyQueryHub Notify; only Python's standard library is needed.

    from pyqueryhub_notify import send_alert
    send_alert("Sales - Alerts", "Data Processing Update", "Daily ETL completed successfully.")

The service is that of PQH_SERVER (http://127.0.0.1:7070 where it is not set), the token that of PQH_TOKEN: one of the role
`publisher` is enough.
"""

import http.client
import json
import math
import os
import time
import urllib.error
import urllib.request
import uuid

# Each level, and the status that people see.
LEVELS = ("success", "warning", "failure")
TRIES = 5
TIMEOUT_SECONDS = 30
# The longest pause between two tries: who waits for a notebook waits for this too.
LONGEST_PAUSE_SECONDS = 30


class NotifyError(Exception):
    """The message was not accepted. Says why, and what to do; never the token."""

    def __init__(self, message, code=None, status=None):
        super().__init__(message)
        self.code = code
        self.status = status


def send_alert(channel, title, text, level="success", *, key=None):
    """Tells one channel, or each of a list, and returns the event's id once the service has stored the message.

    `level` is "success", "warning" or "failure". The call may try more than once: one key for all tries has the message
    told once. Give a `key` of your own where the whole call may be repeated, such as the name and date of a run.
    """
    if level not in LEVELS:
        raise NotifyError(f"level: expected one of {', '.join(LEVELS)}; found {level!r}", code="bad-level")
    token = os.environ.get("PQH_TOKEN", "").strip()
    if not token:
        raise NotifyError("PQH_TOKEN is not set: it takes a token of the role publisher", code="no-token")
    key = key or str(uuid.uuid4())
    for name, value in (("PQH_TOKEN", token), ("key", key)):
        if not (value.isascii() and value.isprintable()):
            raise NotifyError(f"{name}: expected visible ASCII characters on one line", code="bad-header")
    channels = [channel] if isinstance(channel, str) else list(channel)
    body = {"channels": channels, "event": {"title": str(title), "notebook": {"status": level, "message": str(text)}}}
    server = os.environ.get("PQH_SERVER") or "http://127.0.0.1:7070"
    if not server.startswith(("http://", "https://")):
        raise NotifyError(f"PQH_SERVER: expected an address like http://127.0.0.1:7070; found {server!r}", code="bad-server")
    request = urllib.request.Request(
        server.rstrip("/") + "/v1/events",
        data=json.dumps(body).encode(),
        headers={
            "Authorization": f"Bearer {token}",
            "Content-Type": "application/json",
            "Idempotency-Key": key,
        },
    )
    for tries_left in reversed(range(TRIES)):
        try:
            with _OPENER.open(request, timeout=TIMEOUT_SECONDS) as answer:
                return _id(answer)
        except urllib.error.HTTPError as error:
            problem = _problem(error)
            if error.code not in (429, 503) or not tries_left:
                raise problem from None
            pause = _pause(error.headers.get("Retry-After"), tries_left)
        except (OSError, http.client.HTTPException) as error:
            if not tries_left:
                reason = getattr(error, "reason", None) or error
                raise NotifyError(f"the service does not answer: {reason}", code="no-answer") from None
            pause = _pause(None, tries_left)
        time.sleep(pause)


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    """The token is for one service: it is not carried elsewhere."""

    def redirect_request(self, *_):
        return None


_OPENER = urllib.request.build_opener(_NoRedirect)


def _id(answer):
    try:
        return json.load(answer)["id"]
    except (ValueError, KeyError, TypeError):
        raise NotifyError("what answers at PQH_SERVER is not PyQueryHub Notify", code="not-understood") from None


def _problem(error):
    """The service's own words, where there are some."""
    try:
        problem = json.load(error)
        return NotifyError(problem["detail"], code=problem.get("code"), status=error.code)
    except (ValueError, KeyError, TypeError, AttributeError, OSError):
        return NotifyError(f"the service answered {error.code} {error.reason}", status=error.code)


def _pause(retry_after, tries_left):
    """What the service asks for in seconds, else 1, 2, 4 and 8."""
    try:
        wanted = float(retry_after)
    except (TypeError, ValueError):
        wanted = 2.0 ** (TRIES - 1 - tries_left)
    return min(max(wanted, 0.0), LONGEST_PAUSE_SECONDS) if math.isfinite(wanted) else 1.0
