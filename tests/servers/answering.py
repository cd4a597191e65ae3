"""A small HTTP server that answers as a test says.

For InfluxDB 2 and 3, which Debian does not have, and for refusals that a healthy server cannot be made to give.
"""

from collections.abc import Awaitable, Callable

from aiohttp import web


class AnsweringServer:
    """Keeps what it was asked; ``answers`` maps a path to a function from request and body to response."""

    def __init__(self, answers: dict[str, Callable[[web.Request, bytes], web.Response]]) -> None:
        self.asked: list[tuple[str, dict[str, str], dict[str, str], bytes]] = []
        """Path, query parameters, headers and body of each request."""
        self._answers = answers
        self._runner: web.AppRunner | None = None
        self.url = ""

    async def start(self) -> None:
        app = web.Application(client_max_size=64 * 1024 * 1024)
        app.router.add_route("*", "/{path:.*}", self._answer())
        self._runner = web.AppRunner(app)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", 0)
        await site.start()
        host, port = self._runner.addresses[0][:2]
        self.url = f"http://{host}:{port}"

    def _answer(self) -> Callable[[web.Request], Awaitable[web.Response]]:
        async def answer(request: web.Request) -> web.Response:
            body = await request.read()
            self.asked.append((request.path, dict(request.query), dict(request.headers), body))
            known = self._answers.get(request.path)
            return (
                web.Response(status=404, text="404 page not found") if known is None else known(request, body)
            )

        return answer

    async def stop(self) -> None:
        if self._runner is not None:
            await self._runner.cleanup()
