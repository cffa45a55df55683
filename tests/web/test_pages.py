"""Serving the page: cached for ever where names are hashed, never where they are not."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from yarl import URL

from mexc_sniper.ledger.location import LedgerLocation
from tests.web.world import WebWorld, a_web_world

INDEX = "<!doctype html><title>mexc-sniper</title>" + "<!-- -->" * 300


@pytest.fixture
async def built(location: LedgerLocation, tmp_path: Path) -> AsyncIterator[WebWorld]:
    """A web process with a built page."""
    static = tmp_path / "static"
    (static / "assets").mkdir(parents=True)
    (static / "index.html").write_text(INDEX)
    (static / "icon.svg").write_text("<svg/>")
    (static / ".inputs.sha256").write_text("stamp")
    (static / "assets" / "index-abc123.js").write_text("console.log(1);" * 200)
    (tmp_path / "secret.txt").write_text("secret")
    async with a_web_world(location, tmp_path, engine_runs=False, static_dir=static) as world:
        yield world


async def test_the_root_leads_to_the_dashboard(built: WebWorld):
    answer = await built.get("/", bearer=None)

    assert (answer.status, answer.headers["location"]) == (307, "/dashboard")


@pytest.mark.parametrize(
    "path", ["/dashboard", "/dashboard/", "/dashboard/listings", "/dashboard/listings/L1", "/login"]
)
async def test_every_path_of_the_page_is_its_index_and_asked_for_anew(built: WebWorld, path: str):
    answer = await built.get(path, bearer=None)

    assert answer.status == 200
    assert answer.headers["content-type"].startswith("text/html")
    assert answer.headers["cache-control"] == "no-cache"
    assert answer.body.decode() == INDEX


async def test_hashed_files_are_kept_for_ever_and_sent_compressed(built: WebWorld):
    answer = await built.get("/dashboard/assets/index-abc123.js", bearer=None)

    assert answer.status == 200
    assert answer.headers["cache-control"] == "public, max-age=31536000, immutable"
    assert "javascript" in answer.headers["content-type"]
    assert answer.headers["content-encoding"] == "gzip"


async def test_other_files_are_asked_for_anew(built: WebWorld):
    answer = await built.get("/dashboard/icon.svg", bearer=None)

    assert (answer.status, answer.headers["cache-control"]) == (200, "no-cache")
    assert answer.headers["content-type"].startswith("image/svg")


async def test_a_missing_asset_is_a_404_and_not_the_page(built: WebWorld):
    answer = await built.get("/dashboard/assets/index-old.js", bearer=None)

    assert (answer.status, answer.code) == (404, "not_found")


@pytest.mark.parametrize(
    "path",
    [
        "/dashboard/../secret.txt",
        "/dashboard/%2e%2e/secret.txt",
        "/dashboard/..%2fsecret.txt",
        "/dashboard//etc/passwd",
        "/dashboard/assets/../../secret.txt",
        "/dashboard/assets/%2e%2e/%2e%2e/secret.txt",
        "/dashboard/.inputs.sha256",
        "/dashboard/%00",
    ],
)
async def test_nothing_outside_the_built_page_is_served(built: WebWorld, path: str):
    async with built.http.get(URL(built.url + path, encoded=True)) as answer:
        body = await answer.text()

    assert "secret" not in body
    assert "root:" not in body
    assert "stamp" not in body


async def test_without_a_built_page_the_operator_is_told_how_to_build_it(location: LedgerLocation, tmp_path: Path):
    async with a_web_world(location, tmp_path, engine_runs=False, static_dir=tmp_path / "none") as web:
        answer = await web.get("/dashboard", bearer=None)

        assert answer.status == 503
        assert b"pip install" in answer.body
        assert (await web.get("/health", bearer=None)).status == 200
