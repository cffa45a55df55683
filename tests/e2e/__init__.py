"""The real page in a real Chromium, driven through the real program: simulator, engine and web process."""
