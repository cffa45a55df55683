"""A stand-in for the exchange MEXC: its REST paths, web calendar and protobuf WebSocket on one loopback port.

`mexc_sim.core` is the exchange without sockets, clocks or threads; `mexc_sim.server` gives it a port;
`mexc_sim.cli` is the command. Nothing here imports ``mexc_sniper``: the two only share the wire.
"""
