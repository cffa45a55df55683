"""Builds the one gateway to the venue from the settings; used by the engine and by ``record``."""

from mexc_sniper.app.settings import Settings, VenueSettings
from mexc_sniper.core.errors import ConfigError
from mexc_sniper.ports import Clock, Offload
from mexc_sniper.venues.mexc.budget import WeightBudget
from mexc_sniper.venues.mexc.gateway import GatewayOptions, MexcMarketGateway
from mexc_sniper.venues.mexc.planner import PollingOptions
from mexc_sniper.venues.mexc.signing import Credentials
from mexc_sniper.venues.mexc.tap import FrameTap
from mexc_sniper.venues.mexc.wire import PicowsWire


def build_gateway(
    settings: Settings,
    clock: Clock,
    offload: Offload,
    *,
    tap: FrameTap | None = None,
    budget: WeightBudget | None = None,
) -> MexcMarketGateway:
    """Return a gateway to the venue of these settings; nothing is opened yet. ``budget`` None makes a fresh one.

    Raises:
        ConfigError: when the polling plan would spend more than half of the venue's limits, or only one half of
            the key is set.
    """
    venue = settings.venue
    credentials = credentials_of(venue)
    return MexcMarketGateway(
        rest_url=venue.rest_url,
        ws_url=venue.ws_url,
        web_url=venue.web_url,
        clock=clock,
        offload=offload,
        wire=PicowsWire(clock),
        options=GatewayOptions(polling=PollingOptions(**settings.monitor.model_dump())),
        credentials=credentials,
        frame_tap=tap,
        budget=budget,
    )


def credentials_of(venue: VenueSettings) -> Credentials | None:
    """Return the key, None where there is none.

    Raises:
        ConfigError: only one half of it is set.
    """
    if (venue.api_key is None) != (venue.api_secret is None):
        raise ConfigError(
            "only one of venue.api_key and venue.api_secret is set: set both, or neither (the monitor needs no key)"
        )
    if venue.api_key is None or venue.api_secret is None:
        return None
    return Credentials(venue.api_key.reveal(), venue.api_secret.reveal())
