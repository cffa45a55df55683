"""``/dashboard`` and ``/login``: the built page (DASHBOARD 4, "Serving")."""

from pathlib import Path

from fastapi import Request
from fastapi.responses import FileResponse, HTMLResponse, RedirectResponse
from starlette.responses import Response

from mexc_sniper.web.errors import ApiError
from mexc_sniper.web.options import WebOptions
from mexc_sniper.web.routing import router_for
from mexc_sniper.web.services import services

BUILT_PAGE = Path(__file__).parents[1] / "static"
IMMUTABLE = "public, max-age=31536000, immutable"

_NOT_BUILT = """<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>mexc-sniper: the page is not built</title>
<h1>The page is not built</h1>
<p>The bot and its API work. This checkout was installed without its page; build it with</p>
<pre>.venv/bin/pip install --no-deps -e .</pre>
<p>and reload. The command line works without it: <code>mexc-sniper status</code>,
<code>mexc-sniper listings</code>.</p>
</html>
"""

router = router_for(None, tag="page")


@router.get("/", include_in_schema=False)
async def root() -> Response:
    """Lead to the page."""
    return RedirectResponse("/dashboard")


@router.get("/login", include_in_schema=False)
async def login(request: Request) -> Response:
    """Serve the page; it reads the one-time token behind the ``#``, which never reaches a server's log."""
    return _index(_folder(services(request).options))


@router.get("/dashboard", include_in_schema=False)
@router.get("/dashboard/{path:path}", include_in_schema=False)
async def page(request: Request, path: str = "") -> Response:
    """Serve a built file, and the page itself for every path it routes on its own."""
    folder = _folder(services(request).options)
    file = _inside(folder, path)
    if path.startswith("assets/"):
        if file is None:
            raise ApiError(404, "not_found", "There is no such file; reload the page, it was built anew.")
        return FileResponse(file, headers={"cache-control": IMMUTABLE})
    if file is not None and file.name != "index.html":
        return FileResponse(file, headers={"cache-control": "no-cache"})
    return _index(folder)


def _folder(options: WebOptions) -> Path:
    return options.static_dir or BUILT_PAGE


def _index(folder: Path) -> Response:
    index = _inside(folder, "index.html")
    if index is None:
        return HTMLResponse(_NOT_BUILT, status_code=503, headers={"cache-control": "no-store"})
    return FileResponse(index, media_type="text/html", headers={"cache-control": "no-cache"})


def _inside(folder: Path, path: str) -> Path | None:
    """Find a file below ``folder``; nothing outside it, nothing hidden, however the path is written."""
    if not path or "\x00" in path or any(part.startswith(".") for part in path.split("/")):
        return None
    root = folder.resolve()
    file = (root / path.lstrip("/")).resolve()
    return file if file.is_relative_to(root) and file.is_file() else None
