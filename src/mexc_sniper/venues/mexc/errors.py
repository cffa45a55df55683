"""What the adapter must tell apart inside itself and nobody else needs to."""

from mexc_sniper.core.errors import ConnectFailed


class HandshakeFailed(ConnectFailed):
    """The address answered (TCP), but TLS or the upgrade did not succeed: the network is not the problem."""
