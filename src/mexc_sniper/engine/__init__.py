"""The single writer of the program's state: ``handle(event) -> effects``, pure and synchronous."""
