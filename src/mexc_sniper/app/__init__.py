"""The outermost layer: settings, the object graph, the supervisor and the commands of the terminal."""
