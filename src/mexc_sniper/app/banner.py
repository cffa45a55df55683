"""What ``run`` and ``demo`` say on the terminal."""

from types import TracebackType
from typing import Self

from rich.console import Console
from rich.markup import escape
from rich.panel import Panel
from rich.status import Status
from rich.table import Table

from mexc_sniper.app.settings import Settings
from mexc_sniper.app.supervisor import Ready


class Terminal:
    """A spinner while things start, then one panel with everything a person needs; plain lines without a terminal."""

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
        table = Table.grid(padding=(0, 2))
        table.add_column(style="dim", no_wrap=True)
        table.add_column(overflow="fold")
        table.add_row("Page", f"[bold]{escape(ready.url)}/dashboard[/bold]")
        if ready.login_url:
            table.add_row("Sign in", f"[bold cyan]{escape(ready.login_url)}[/bold cyan]  [dim](works once)[/dim]")
        else:
            table.add_row("Sign in", "mexc-sniper user link")
        table.add_row("Mode", f"{self._settings.mode} [dim](this version watches; it cannot place orders)[/dim]")
        venue = f"exchange simulator at {ready.sim_url}" if self._demo else self._settings.venue.rest_url
        table.add_row("Venue", escape(venue))
        table.add_row("Data", escape(str(self._settings.data_dir)))
        table.add_row("Stop", "Ctrl-C")
        title = "mexc-sniper demo is running" if self._demo else "mexc-sniper is running"
        if self._console.is_terminal:
            self._console.print(Panel(table, title=title, border_style="green", expand=False))
        else:  # lines that neither wrap nor frame, so that logs and scripts can read them
            self._console.print(
                f"{title}: {ready.url}/dashboard\n"
                f"sign in once with: {ready.login_url or 'mexc-sniper user link'}\n"
                f"mode: {self._settings.mode}; venue: {venue}; data: {self._settings.data_dir}; stop with Ctrl-C",
                soft_wrap=True,
                markup=False,
            )

    def _clear(self) -> None:
        if self._status is not None:
            self._status.stop()
            self._status = None
