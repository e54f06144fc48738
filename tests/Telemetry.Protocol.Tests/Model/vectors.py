#!/usr/bin/env python3
"""Makes vectors.json: trees and fingerprints as the format describes them, worked out a second time.

Written from the description of the format, not from the program, and only with the standard library, so that a mistake
would have to be made twice. The vectors are frozen: run this only when a new format version is added.

    python3 vectors.py > vectors.json
"""

import hashlib
import json

FORMAT = 1
MAX_ENTRIES = 128
MAX_KEY_BYTES = 32 * 1024
MAX_KEY = 4096
MAX_VALUE = 512


def number(value):
    """Unsigned LEB128: seven bits a byte, least significant first."""
    out = bytearray()
    while True:
        low, value = value & 0x7F, value >> 7
        if value == 0:
            out.append(low)
            return bytes(out)
        out.append(low | 0x80)


def sized(data):
    return number(len(data)) + data


# :: Nodes

def is_natural(key, level):
    return hashlib.sha256(key).digest()[level] % 16 == 0


def runs(pairs, level):
    """Cuts one level's sorted pairs into the contents of its nodes."""
    run, key_bytes = [], 0
    for key, value in pairs:
        run.append((key, value))
        key_bytes += len(key)
        if is_natural(key, level) or len(run) >= MAX_ENTRIES or key_bytes >= MAX_KEY_BYTES:
            yield run
            run, key_bytes = [], 0
    if run:
        yield run


def shared_length(a, b):
    length = 0
    while length < len(a) and length < len(b) and a[length] == b[length]:
        length += 1
    return length


def encode_node(pairs, level):
    out = bytes([FORMAT, level]) + number(len(pairs))
    previous = b""
    for key, value in pairs:
        shared = shared_length(previous, key)
        out += number(shared) + sized(key[shared:])
        out += sized(value) if level == 0 else value
        previous = key
    return out


def digest_node(data, level):
    prefix = b"\x00" if level == 0 else b"\x01"
    return hashlib.sha256(prefix + data).digest()


def build(entries):
    """All nodes, level by level from the leaves, and the root's digest."""
    pairs, level, nodes = sorted(entries.items()), 0, []
    assert all(len(k) <= MAX_KEY and len(v) <= MAX_VALUE for k, v in pairs)
    contents = list(runs(pairs, 0)) or [[]]
    while True:
        above = []
        for content in contents:
            data = encode_node(content, level)
            digest = digest_node(data, level)
            nodes.append({"level": level, "count": len(content), "length": len(data), "digest": digest.hex(), "data": data})
            above.append((content[0][0] if content else b"", digest))
        if len(contents) == 1:
            return nodes, above[0][1]
        level += 1
        contents = list(runs(above, level))


# :: Fingerprints

STATES = {"stable": 0, "unreadable": 1, "unstable": 2, "pending": 3}
TYPES = {"file": 1, "dir": 2, "symlink": 3, "char": 4, "block": 5, "fifo": 6, "socket": 7}


def plain(tag):
    return lambda value: bytes([tag]) + number(value)


def raw(tag):
    return lambda value: bytes([tag]) + sized(bytes.fromhex(value))


def keyed(tag):
    return lambda value: bytes([tag]) + sized(bytes.fromhex(value["key_id"]) + bytes.fromhex(value["digest"]))


# In the order of their tags, which is the order they are written in.
ATTRIBUTES = {
    "type": lambda value: bytes([0x02, TYPES[value]]),
    "mode": plain(0x04),
    "uid": plain(0x06),
    "gid": plain(0x08),
    "size": plain(0x0A),
    "content": raw(0x0B),
    "keyed_content": keyed(0x0D),
    "target": raw(0x0F),
    "target_digest": raw(0x11),
    "device": plain(0x12),
    "xattrs": raw(0x13),
    "version": raw(0x21),
    "status": raw(0x23),
    "value": raw(0x31),
    "value_digest": raw(0x33),
    "keyed_value": keyed(0x35),
}


def encode_fingerprint(attributes):
    out = bytes([STATES[attributes["state"]]])
    for name, encode in ATTRIBUTES.items():
        if name in attributes:
            out += encode(attributes[name])
    return out


def sha(text):
    return hashlib.sha256(text.encode()).hexdigest()


def fingerprints():
    yield "nothing but a state", {"state": "stable"}
    for state in ("unreadable", "unstable", "pending"):
        yield state, {"state": state}
    for kind in TYPES:
        yield "type " + kind, {"state": "stable", "type": kind}
    for mode in (0, 0o644, 0o1777, 0o4755, 0o7777):
        yield "mode %04o" % mode, {"state": "stable", "mode": mode}
    for value in (0, 1, 127, 128, 16383, 16384, 2**32 - 1):
        yield "uid %d" % value, {"state": "stable", "uid": value, "gid": value}
    for value in (0, 2**32, 2**63 - 1, 2**63, 2**64 - 1):
        yield "size %d" % value, {"state": "stable", "size": value}
    yield "content", {"state": "stable", "content": sha("content")}
    yield "keyed content", {"state": "stable", "keyed_content": {"key_id": "0102030405060708", "digest": sha("secret")}}
    yield "target", {"state": "stable", "target": b"../lib/x.so.1".hex()}
    yield "empty target", {"state": "stable", "target": ""}
    yield "longest target", {"state": "stable", "target": (b"t" * 255).hex()}
    yield "target with odd bytes", {"state": "stable", "target": bytes(range(1, 256)).hex()}
    yield "target digest", {"state": "stable", "target_digest": sha("long target")}
    yield "device", {"state": "stable", "type": "char", "device": (1 << 32) | 3}
    yield "xattrs", {"state": "stable", "xattrs": sha("xattrs")}
    yield "package", {"state": "stable", "version": b"2.4.62-1~deb12u2".hex(), "status": b"install ok installed".hex()}
    yield "value", {"state": "stable", "value": "n\u00f6".encode().hex()}
    yield "value digest", {"state": "stable", "value_digest": sha("long value")}
    yield "keyed value", {"state": "stable", "keyed_value": {"key_id": "ffffffffffffffff", "digest": sha("password")}}
    yield "a whole file", {"state": "stable", "type": "file", "mode": 0o4755, "uid": 0, "gid": 42, "size": 132, "content": sha("ls"), "xattrs": sha("caps")}


# :: Trees

def numbered(prefix, width, numbers, suffix=b""):
    """A rule both sides can follow; a file that tells each key apart by its size and content."""
    entries = {}
    for n in numbers:
        key = prefix + str(n).zfill(width).encode() + suffix
        entries[key] = encode_fingerprint(
            {"state": "stable", "type": "file", "mode": 0o644, "uid": 0, "gid": 0, "size": n, "content": hashlib.sha256(key).hexdigest()})
    rule = {"prefix": prefix.hex(), "width": width, "suffix": suffix.hex(), "numbers": list(numbers)}
    return entries, rule


def without_boundary(prefix, width, count, suffix=b"", start=0):
    numbers, n = [], start
    while len(numbers) < count:
        if not is_natural(prefix + str(n).zfill(width).encode() + suffix, 0):
            numbers.append(n)
        n += 1
    return numbers


def tree(name, entries, rule=None):
    nodes, root = build(entries)
    case = {"name": name}
    if rule is None:
        case["entries"] = [{"key": k.hex(), "value": v.hex()} for k, v in sorted(entries.items())]
    else:
        case["rule"] = rule
    case["root"] = root.hex()
    case["levels"] = nodes[-1]["level"] + 1
    # Of small trees the bytes themselves, so that a difference can be seen; of all the digests.
    show = sum(node["length"] for node in nodes) < 3000
    case["nodes"] = [
        {**{k: v for k, v in node.items() if k != "data"}, **({"bytes": node["data"].hex()} if show else {})} for node in nodes]
    return case


def trees():
    file = encode_fingerprint({"state": "stable", "type": "file", "mode": 0o644, "uid": 0, "gid": 0, "size": 5, "content": sha("hello")})
    folder = encode_fingerprint({"state": "stable", "type": "dir", "mode": 0o755, "uid": 0, "gid": 0})

    yield tree("empty", {})
    yield tree("the scanned root alone", {b"": folder})
    yield tree("single entry", {b"etc\0passwd": file})
    yield tree("a few paths", {b"": folder, b"etc": folder, b"etc\0hosts": file, b"etc\0passwd": file, b"etcetera": file})

    numbers = without_boundary(b"leaf", 4, 5)
    natural = next(n for n in range(1000, 2000) if is_natural(b"leaf%04d" % n, 0))
    yield tree("single leaf", *numbered(b"leaf", 4, numbers))
    yield tree("single leaf that ends in a boundary", *numbered(b"leaf", 4, numbers + [natural]))
    yield tree("one entry behind a boundary", *numbered(b"leaf", 4, numbers + [natural, natural + 1]))

    yield tree("two levels", *numbered(b"usr\0bin\0", 3, range(60)))
    yield tree("several levels", *numbered(b"usr\0share\0doc\0", 5, range(0, 15000, 3)))

    run = without_boundary(b"run\0", 5, 300)
    yield tree("forced cuts by entries", *numbered(b"run\0", 5, run))
    yield tree("exactly 128 entries without a boundary", *numbered(b"run\0", 5, run[:128]))
    yield tree("129 entries without a boundary", *numbered(b"run\0", 5, run[:129]))

    pad = b"\0" + b"p" * 3000
    yield tree("forced cuts by key bytes", *numbered(b"long\0", 5, without_boundary(b"long\0", 5, 40, pad), pad))

    # 32 keys of 1024 bytes are exactly 32 KiB.
    pad = b"\0" + b"q" * (1024 - 6)
    yield tree("exactly 32 KiB of keys", *numbered(b"", 5, without_boundary(b"", 5, 33, pad), pad))

    odd = [b"\x01", b"\x01\x02", b"\x7f", b"\x80", b"\xc3\xa4", b"\xff", b"\xff\xff", b"a\nb", b"a\\x00", b"a\0\x01", b"a\0\xff", b"a\x01", b"\0", b"\0\0"]
    yield tree("keys of odd bytes", {key: file for key in odd})
    yield tree("longest key", {b"k" * MAX_KEY: file, b"k" * (MAX_KEY - 1): file, b"l" * MAX_KEY: folder})

    # Made of attributes of a later version: the longest value is 1 + (1 + 2 + n) bytes.
    longest = encode_fingerprint({"state": "stable"}) + b"\x41" + sized(b"v" * (MAX_VALUE - 4))
    assert len(longest) == MAX_VALUE
    yield tree("longest value", {b"a": longest, b"b": longest})


def main():
    prints = [{"name": name, "attributes": a, "bytes": encode_fingerprint(a).hex()} for name, a in fingerprints()]
    rows = {
        "format": FORMAT,
        "fingerprints": prints,
        "trees": list(trees()),
    }
    print("{")
    print('"format": %d,' % rows["format"])
    for index, part in enumerate(("fingerprints", "trees")):
        lines = ",\n".join(json.dumps(row, separators=(",", ":")) for row in rows[part])
        print('"%s": [\n%s\n]%s' % (part, lines, "," if index == 0 else ""))
    print("}")


if __name__ == "__main__":
    main()
