"""Documents that must agree with the code, and the lock that must agree with the project."""

import re
import tomllib
from pathlib import Path

import pytest

from mexc_sniper.app.docs import documents

ROOT = Path(__file__).resolve().parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]


def locked(name: str) -> dict[str, str]:
    return dict(
        re.findall(r"^([a-z0-9._-]+)(?:\[[a-z,]+\])?==([^\s;]+)", (ROOT / "requirements" / name).read_text(), re.M)
    )


def names(requirements: list[str]) -> set[str]:
    return {re.split(r"[<>=\[; ]", text)[0].lower() for text in requirements}


@pytest.mark.parametrize("name", ["configuration.md", "reasons.md", "api.md"])
def test_generated_document_is_up_to_date(name: str) -> None:
    assert (ROOT / "docs" / name).read_text(encoding="utf-8") == documents(ROOT)[name], "run 'make docs'"


def test_every_runtime_dependency_has_its_reason() -> None:
    table = (ROOT / "docs" / "architecture.md").read_text().partition("## Runtime dependencies")[2]
    explained = {name.strip() for row in re.findall(r"^\| ([a-z0-9, -]+) \|", table, re.M) for name in row.split(",")}
    assert names(PROJECT["dependencies"]) == explained - {"package", "---"}


def test_every_runtime_dependency_is_used_or_needed_by_one_that_is() -> None:
    served_by = {"httptools": "uvicorn", "websockets": "uvicorn", "psycopg": "sqlalchemy", "protobuf": "mexc_proto"}
    modules = {"prometheus-client": "prometheus_client", "argon2-cffi": "argon2"}
    sources = "\n".join(path.read_text() for path in (ROOT / "src").rglob("*.py"))
    for name in names(PROJECT["dependencies"]):
        module = modules.get(name, served_by.get(name, name))
        assert re.search(rf"^\s*(?:from|import) {module}\b", sources, re.M), name


@pytest.mark.parametrize("name", ["runtime.txt", "dev.txt"])
def test_lock_is_hashed_and_names_no_index(name: str) -> None:
    text = (ROOT / "requirements" / name).read_text()
    assert not re.search(r"https?://|--index|--find-links|file:", text)
    entries = re.split(r"^(?=[a-z0-9])", text, flags=re.M)[1:]
    assert len(entries) > 20
    assert all("--hash=sha256:" in entry for entry in entries)


def test_tests_run_what_users_run() -> None:
    runtime, dev = locked("runtime.txt"), locked("dev.txt")
    assert runtime == {name: dev.get(name) for name in runtime}
    assert names(PROJECT["dependencies"]) <= set(runtime)
    assert names(PROJECT["optional-dependencies"]["dev"]) <= set(dev)


def test_readme_says_the_two_commands() -> None:
    readme = (ROOT / "README.md").read_text()
    assert "\nmake demo\n" in readme
    assert "\nmake test\n" in readme


def test_documents_link_only_to_files_that_exist() -> None:
    for document in [ROOT / "README.md", *(ROOT / "docs").glob("*.md")]:
        for target in re.findall(r"\]\((?!https?:)([^)#]+)", document.read_text(encoding="utf-8")):
            assert (document.parent / target).exists(), f"{document.name} → {target}"
