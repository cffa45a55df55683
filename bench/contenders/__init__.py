"""What the bot is measured against in `bench/tick_to_trade.py`; each runs in a process of its own.

A contender reads one symbol a line, subscribes, prints ``ready``, sends one order at the first frame of that symbol,
and prints ``sent``. REST and WebSocket addresses come as arguments, trust from ``SSL_CERT_FILE``.
"""
