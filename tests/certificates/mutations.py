"""What may be wrong in one place of a certificate."""
import copy
import json

OTHERS = (None, True, False, 0, 1, 1.0, -1, 2**70, "", "0", "x", [], {}, [0])


def places(value, at=()):
    """Every place of a JSON value, from the whole to its leaves."""
    yield at
    for key, inner in value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ():
        yield from places(inner, (*at, key))


def mutated(data, rng, at=None):
    """A copy with something else in one place, never the same JSON text."""
    at = _place(data, rng) if at is None else at
    changed = copy.deepcopy(data)
    if not at:
        return _others(changed, rng)
    holder = changed
    for key in at[:-1]:
        holder = holder[key]
    holder[at[-1]] = _others(holder[at[-1]], rng)
    return changed


def _place(data, rng):
    """A place, each entry of the certificate with the same chance, and each depth."""
    key = rng.choice(list(data))
    inner = [(key, *at) for at in places(data[key])]
    depth = rng.choice(sorted({len(at) for at in inner}))
    return _one(rng, [at for at in inner if len(at) == depth]) if rng.random() > 0.05 else ()


def _one(rng, options):
    return options[int(rng.integers(len(options)))]


def _others(value, rng):
    """Something else in its place."""
    near = list({dict: _dict, list: _list, str: _str, bool: _bool, int: _int}[type(value)](value, rng))
    others = near if near and rng.random() < 0.8 else OTHERS
    return _one(rng, [other for other in others if json.dumps(other) != json.dumps(value)])


def _dict(value, rng):
    keys = list(value)
    key, other = keys[0], keys[-1]
    swapped = [other if k == key else key if k == other else k for k in keys]
    yield {k: v for k, v in value.items() if k != key}
    yield value | {"more": 0}
    yield {k + "s" if k == key else k: v for k, v in value.items()}
    if len(keys) > 1:
        yield {k: value[k] for k in swapped}


def _list(value, rng):
    if value:
        k = int(rng.integers(len(value)))
        yield value[:k] + value[k + 1:]
        yield [*value[:k], value[k], *value[k:]]
        yield [*value, value[k]]
    if len(value) > 1:
        i, j = sorted(rng.choice(len(value), 2, replace=False).tolist())
        yield [*value[:i], value[j], *value[i + 1:j], value[i], *value[j + 1:]]


def _str(value, rng):
    k = int(rng.integers(len(value))) if value else 0
    if value[k:k + 1].isdigit():
        yield value[:k] + str((int(value[k]) + int(rng.integers(1, 10))) % 10) + value[k + 1:]
        yield value[:k] + str(1 - int(value[k] != "0")) + value[k + 1:]
    yield value[:k] + value[k + 1:]
    yield value[:k] + value[k:k + 1] + value[k:]
    yield from (value + " ", " " + value, "0" + value, "+" + value, "-" + value, value + "0", value + "\n",
                value + "/1", value + "\u0663")


def _bool(value, rng):
    yield from (not value, int(value), str(value).lower())


def _int(value, rng):
    yield from (value + 1, value - 1, -value, float(value), str(value), value + int(rng.integers(2, 9)))
