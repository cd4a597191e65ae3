"""Laying one piece of a file over another."""

from gateway.core.values import Json


def laid_over(base: Json, change: Json) -> Json:
    """What comes of laying ``change`` over ``base``.

    Mappings are merged and null removes; anything else takes the place of what was there. A mapping over a list of
    entries with an ``id`` is merged into the entries it names, new ones come at the end.
    """
    if not isinstance(change, dict):
        return change
    if isinstance(base, list) and all(isinstance(entry, dict) and "id" in entry for entry in base):
        named: Json = {str(entry["id"]): entry for entry in base if isinstance(entry, dict)}
        merged = laid_over(named, change)
        entries = merged.items() if isinstance(merged, dict) else ()
        return [{"id": name, **entry} if isinstance(entry, dict) else entry for name, entry in entries]
    start = base if isinstance(base, dict) else {}
    together = {**start, **{name: laid_over(start.get(name), value) for name, value in change.items()}}
    return {name: value for name, value in together.items() if value is not None}


def reaches(data: Json, path: tuple[str | int, ...]) -> int:
    """How many parts of a path are there in the data."""
    for count, part in enumerate(path):
        if isinstance(data, dict) and part in data:
            data = data[str(part)]
        elif isinstance(data, list) and isinstance(part, int) and part < len(data):
            data = data[part]
        else:
            return count
    return len(path)
