"""What ``run`` and ``demo`` say on the terminal."""

from types import TracebackType
from typing import Self

from rich.console import Console
from rich.markup import escape
from rich.status import Status

from mexc_sniper.app.settings import Settings
from mexc_sniper.app.supervisor import Ready


class Terminal:
    """A spinner while things start, then everything a person needs, once."""

    def __init__(self, settings: Settings, *, demo: bool) -> None:
        self._settings = settings
        self._demo = demo
        self._console = Console(stderr=True, highlight=False)
        self._status: Status | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: type[BaseException] | BaseException | TracebackType | None) -> None:
        self._clear()

    def step(self, text: str) -> None:
        """Say what is being waited for."""
        if not self._console.is_terminal:
            return
        if self._status is None:
            self._status = self._console.status(f"{escape(text)} …")
            self._status.start()
        else:
            self._status.update(f"{escape(text)} …")

    def trouble(self, text: str) -> None:
        """Say loudly that a part died."""
        self._console.print(f"[bold red]{escape(text)}[/bold red]")

    def ready(self, ready: Ready) -> None:
        """Show address, one-time link, mode, data directory and how to stop."""
        self._clear()
        title = "mexc-sniper demo is running" if self._demo else "mexc-sniper is running"
        venue = f"exchange simulator at {ready.sim_url}" if self._demo else self._settings.venue.rest_url
        sign_in = f"{ready.login_url} (works once)" if ready.login_url else "mexc-sniper user link"
        rows = (
            ("Sign in", f"[bold cyan]{escape(sign_in)}[/bold cyan]"),
            ("Page", escape(f"{ready.url}/dashboard")),
            ("Mode", _mode_in_words(self._settings.mode)),
            ("Venue", escape(venue)),
            ("Data", escape(str(self._settings.data_dir))),
            ("Stop", "Ctrl-C"),
        )
        self._console.print(f"[bold green]{title}[/bold green]")
        for name, text in rows:  # no frame and no wrapping of ours, so that a link can be copied whole
            self._console.print(f"  [dim]{name:<8}[/dim] {text}", soft_wrap=True)

    def _clear(self) -> None:
        if self._status is not None:
            self._status.stop()
            self._status = None


def _mode_in_words(mode: str) -> str:
    if mode == "live":
        return "live, not armed: entries go to paper until you arm (mexc-sniper arm)"
    return "dry-run: orders are filled on paper against the live book"
