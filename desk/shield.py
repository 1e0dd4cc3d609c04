"""What every request passes before a page sees it, and what every answer carries."""

from collections.abc import Iterable

from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

MOST_BYTES = 1_000_000
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; form-action 'self'; "
    "base-uri 'none'; frame-ancestors 'none'; object-src 'none'"
)
HEADERS = {
    "Content-Security-Policy": POLICY,
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",
    "Permissions-Policy": "camera=(), microphone=(), geolocation=(), payment=(), usb=()",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}
YEAR = "max-age=31536000; includeSubDomains"
KEPT = b"public, max-age=86400"


class TooBigError(HTTPException):
    """The body is longer than any form of ours. As an `HTTPException` it passes through whatever reads the body."""

    def __init__(self) -> None:
        super().__init__(413)


class Shield:
    """Refuses huge bodies while they come in; puts the security headers on every answer; lets nobody's browser keep a page."""

    def __init__(self, app: ASGIApp, *, is_https: bool, cacheable: Iterable[str]) -> None:
        self.app = app
        headers = HEADERS | ({"Strict-Transport-Security": YEAR} if is_https else {})
        self.headers = {name.lower().encode(): value.encode() for name, value in headers.items()}
        self.cacheable = tuple(cacheable)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        started = False
        received = 0

        async def read() -> Message:
            nonlocal received
            message = await receive()
            received += len(message.get("body", b""))
            if received > MOST_BYTES:
                raise TooBigError
            return message

        async def answer(message: Message) -> None:
            nonlocal started
            if message["type"] == "http.response.start":
                started = True
                message["headers"] = self._protected(message["headers"], scope["path"])
            await send(message)

        length = Headers(scope=scope).get("content-length", "0")
        try:
            if not length.isdigit() or int(length) > MOST_BYTES:
                raise TooBigError
            await self.app(scope, read, answer)
        except TooBigError:
            if started:
                raise
            await answer({"type": "http.response.start", "status": 413, "headers": [(b"content-type", b"text/plain; charset=utf-8")]})
            body = f"That is too much at once: at most {MOST_BYTES:,} bytes are taken. Send less.".encode()
            await answer({"type": "http.response.body", "body": body})

    def _protected(self, headers: Iterable[tuple[bytes, bytes]], path: str) -> list[tuple[bytes, bytes]]:
        """An answer's own headers with ours, which stand whatever it says itself; how long it is kept it may say."""
        own = [(name, value) for name, value in headers if name not in self.headers]
        if not any(name == b"cache-control" for name, _ in own):
            own.append((b"cache-control", KEPT if path.startswith(self.cacheable) else b"no-store"))
        return [*own, *self.headers.items()]
