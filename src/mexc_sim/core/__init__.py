"""The exchange as a pure machine: ``Exchange.handle(request, now_ns)`` gives answers, frames and the next due time.

No sockets, no threads, no ambient clock, no global randomness: the same seed and the same requests at the same
virtual times give the same bytes. The deterministic simulation drives this package directly.
"""
