"""Check uploads for Import before Streamlit's own route reads a byte of them.

Streamlit's route accepts a file from anyone, for any open page. This middleware reads the sender
from the cookies. It accepts a file only from a person who may import, only into their own page, and
only up to the limits.
"""

import logging

from anyio import CapacityLimiter, to_thread
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from streamlit.runtime import get_instance

from core import access
from core.access import Actor
from core.ground import AppError, InvalidInput, NotPermitted, Permission
from pages.guards.upload_room import Room, TooMuch, Upload, uploaded_files
from pages.web import actor_in, declared_bytes, is_of_same_person, refuse_json, status_of

logger = logging.getLogger(__name__)

_AT_ONCE = CapacityLimiter(4)


class Uploads:
    """Passes an upload or the removal of a file on to Streamlit's route, or refuses it."""

    def __init__(self, app: ASGIApp, base: str) -> None:
        """Serve under the path `base`: empty, or for example /desk."""
        self.app = app
        self.prefix = f"{base}/_stcore/upload_file/"
        self.room = Room()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Check PUT and DELETE at the address of uploads; pass every other request on."""
        path = str(scope.get("path", ""))
        is_upload = scope["type"] == "http" and path.startswith(self.prefix)
        if not is_upload or scope["method"] not in ("PUT", "DELETE"):
            await self.app(scope, receive, send)
            return
        request = Request(scope)
        session_id, _, file_id = path.removeprefix(self.prefix).partition("/")
        try:
            actor = await to_thread.run_sync(_admit, request, session_id, limiter=_AT_ONCE)
            size = declared_bytes(request) or 0
            upload = self.room.enter(session_id, actor, size) if request.method == "PUT" else None
        except AppError as error:
            logger.warning("Refused %s of a file: %s", request.method, error)
            status = 413 if isinstance(error, TooMuch) else status_of(error)
            await refuse_json(str(error), status)(scope, receive, send)
            return
        if upload is None:
            await self.app(scope, receive, send)
        else:
            await self._take(upload, file_id, scope, receive, send)

    async def _take(
        self, upload: Upload, file_id: str, scope: Scope, receive: Receive, send: Send
    ) -> None:
        """Let Streamlit receive a file; cut the upload off when it exceeds a limit."""
        received = 0

        async def receive_counted() -> Message:
            nonlocal received
            message = await receive()
            received += len(message.get("body", b""))
            try:
                self.room.grow(upload, received)
            except TooMuch as error:
                logger.warning("Cut off an upload: %s", error)
                raise HTTPException(413, str(error)) from None
            return message

        async def send_and_leave(message: Message) -> None:
            self.room.leave(upload)  # Streamlit has stored the file
            await send(message)

        try:
            await self.app(scope, receive_counted, send_and_leave)
        finally:
            self.room.leave(upload)
            if not get_instance().is_active_session(upload.session_id):
                # The page was closed during the upload: nothing would ever remove the file.
                uploaded_files().remove_file(upload.session_id, file_id)


def _admit(request: Request, session_id: str) -> Actor:
    """Return who uploads, if permitted. It asks the database, so it runs in a thread.

    Raises NotSignedIn, NotPermitted (which is audited), or InvalidInput if the page is closed.
    """
    actor = actor_in(request.cookies)
    access.require(actor, Permission.IMPORT)
    client = get_instance().get_client(session_id)
    context = client.client_context if client is not None else None
    if context is None:
        raise InvalidInput("This page is no longer connected. Reload it and choose the file again.")
    if not is_of_same_person(request.cookies, context.cookies):
        raise NotPermitted("Someone else is signed in on this page. Reload it.")
    return actor
