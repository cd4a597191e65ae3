"""Real servers for tests: each starts on a free loopback port with its own folder, and is stopped again."""
