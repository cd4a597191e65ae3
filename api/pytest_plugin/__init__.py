"""What the pytest plugin (``fgw_pytest``) is made of; loaded once a test uses it."""
