"""The parts of one web process, hung on the application so that a route can reach them."""

from dataclasses import dataclass

from starlette.requests import HTTPConnection

from mexc_sniper.ports import Clock
from mexc_sniper.web.auth.login import Login
from mexc_sniper.web.auth.service import Auth
from mexc_sniper.web.commands import Commander
from mexc_sniper.web.execute import Executor
from mexc_sniper.web.kill import KillSwitch
from mexc_sniper.web.live import Hub
from mexc_sniper.web.notices import Notices
from mexc_sniper.web.options import WebOptions
from mexc_sniper.web.state import Overview
from mexc_sniper.web.store import Store


@dataclass(frozen=True, slots=True, kw_only=True)
class Services:
    """Everything a route may use."""

    options: WebOptions
    clock: Clock
    store: Store
    auth: Auth
    login: Login
    notices: Notices
    overview: Overview
    hub: Hub
    commander: Commander
    executor: Executor
    kill_switch: KillSwitch


def services(connection: HTTPConnection) -> Services:
    """Return the parts of the application a request came to."""
    found: Services = connection.app.state.services
    return found
