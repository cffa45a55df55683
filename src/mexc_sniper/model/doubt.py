"""When absence is proof: how long the venue may still take, or still hide, an order that left (RELIABILITY 3.3)."""

from typing import Final

from mexc_sniper.core.clock import NS_PER_S

RECV_WINDOW_NS: Final = 5 * NS_PER_S
"""What orders are signed with: after it the venue refuses the request (REFERENCE 1.2)."""
FENCE_MARGIN_NS: Final = 1 * NS_PER_S
GRACE_NS: Final = 25 * NS_PER_S
"""How long after the fence an accepted order may still be invisible (seen on the venue)."""
FENCE_NS: Final = RECV_WINDOW_NS + FENCE_MARGIN_NS
"""So long after its signing an order can still be accepted."""
PROOF_AFTER_NS: Final = FENCE_NS + GRACE_NS
"""So long after its signing an order that was accepted can be seen."""
