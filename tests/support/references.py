"""The reference files as they are, for tests that look beneath the loader or break them."""

import json
from importlib.resources import files

NAMES = ("paper.json", "project2022.json", "reproductions.json")


def content(name):
    return json.loads(files("bench.reference").joinpath(name).read_text(encoding="utf-8"))


def changed(name, path, value=None):
    """The text of a file with ``value`` at ``path``, or without that key where it is None."""
    whole = node = content(name)
    *parents, last = path
    for key in parents:
        node = node[key]
    if value is None:
        del node[last]
    else:
        node[last] = value
    return json.dumps(whole)


def numbers(node, path=(), sources=()):
    """(path, objects with a source around it, the nearest first) of every number in a file."""
    if isinstance(node, dict):
        if "source" in node:
            sources = (node, *sources)
        for key, value in node.items():
            yield from numbers(value, (*path, key), sources)
    elif isinstance(node, list):
        for index, value in enumerate(node):
            yield from numbers(value, (*path, index), sources)
    elif isinstance(node, int | float) and not isinstance(node, bool):
        yield path, sources
