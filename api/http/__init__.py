"""The HTTP face: JSON under ``/api/v1``, a live feed, health, metrics and a page that describes it all."""
