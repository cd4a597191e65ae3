"""Every way in: HTTP routes, the live feed and the command line."""
