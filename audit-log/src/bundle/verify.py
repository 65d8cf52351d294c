#!/usr/bin/env python3
"""Verifies a bundle of a LoopIQ audit log without LoopIQ, without its database and without a network.

    python3 verify.py BUNDLE --key FILE [--checkpoint FILE] [--witness FILE]

--key FILE         the public key of the log, which you have from elsewhere than the bundle
--checkpoint FILE  a checkpoint that you or a witness kept: shows that the log has not been rewritten since
--witness FILE     public keys of witnesses: each must have cosigned a checkpoint of the bundle

Exit codes: 0 the bundle is valid, 1 it is not, 2 a file or an argument cannot be used.
It needs Python 3.9 or newer and no further package. Copy it from a place that you trust, not from the bundle.
"""

import argparse
import base64
import binascii
import datetime
import hashlib
import json
import math
import re
import sys

MAX_TEXT = 64 << 10
MAX_CHUNK_BYTES = 64 << 20
MAX_CHUNK_LINES = 4096
MAX_OLDER = 1000
MAX_KEYS = 100
MAX_DEPTH = 127


class Fault(Exception):
    """The reason why a bundle is not accepted."""


class Unusable(Exception):
    """A file of the person who verifies that cannot be used."""


# --- Ed25519 (RFC 8032), verification only. Points are (X, Y, Z, T) with x = X/Z, y = Y/Z, xy = T/Z. ---

P = 2**255 - 19
ORDER = 2**252 + 27742317777372353535851937790883648493
D = -121665 * pow(121666, P - 2, P) % P
SQRT_M1 = pow(2, (P - 1) // 4, P)
NEUTRAL = (0, 1, 1, 0)


def add(p, q):
    a, b = (p[1] - p[0]) * (q[1] - q[0]) % P, (p[1] + p[0]) * (q[1] + q[0]) % P
    c, d = 2 * p[3] * q[3] * D % P, 2 * p[2] * q[2] % P
    e, f, g, h = b - a, d - c, d + c, b + a
    return e * f % P, g * h % P, f * g % P, e * h % P


def decompress(data):
    """The point of 32 bytes, or None."""
    y = int.from_bytes(data, "little")
    sign, y = y >> 255, y & (1 << 255) - 1
    if y >= P:
        return None
    u, v = (y * y - 1) % P, (D * y * y + 1) % P
    x = u * pow(v, 3, P) * pow(u * pow(v, 7, P), (P - 5) // 8, P) % P
    if v * x * x % P == -u % P:
        x = x * SQRT_M1 % P
    if v * x * x % P != u or (x == 0 and sign):
        return None
    if x & 1 != sign:
        x = P - x
    return x, y, 1, x * y % P


def same(p, q):
    return (p[0] * q[2] - q[0] * p[2]) % P == 0 and (p[1] * q[2] - q[1] * p[2]) % P == 0


def is_small(p):
    """Whether the point has an order of at most 8. Such a key or signature proves nothing."""
    for _ in range(3):
        p = add(p, p)
    return same(p, NEUTRAL)


def ed25519_verifies(key, message, signature):
    point, r = decompress(key), decompress(signature[:32])
    s = int.from_bytes(signature[32:], "little")
    if len(signature) != 64 or point is None or r is None or s >= ORDER or is_small(point) or is_small(r):
        return False
    k = int.from_bytes(hashlib.sha512(signature[:32] + key + message).digest(), "little") % ORDER
    # s * base - k * key, both at once, must be r.
    minus = (P - point[0], point[1], 1, P - point[3])
    table = (None, BASE, minus, add(BASE, minus))
    total = NEUTRAL
    for bit in range(252, -1, -1):
        total = add(total, total)
        which = (s >> bit & 1) | (k >> bit & 1) << 1
        if which:
            total = add(total, table[which])
    return same(total, r)


BASE = decompress((4 * pow(5, P - 2, P) % P).to_bytes(32, "little"))


# --- keys, signed notes and checkpoints (C2SP signed-note, tlog-checkpoint, tlog-cosignature) ---

LOG, WITNESS = 1, 4


def decoded(text):
    """The bytes of a base64 text, which has one form."""
    try:
        data = base64.b64decode(text.encode("ascii"), validate=True)
    except (ValueError, binascii.Error):
        return None
    return data if base64.b64encode(data).decode() == text else None


class Key:
    """A public key: name+hash+base64."""

    def __init__(self, line):
        parts = line.split("+", 2)
        data = decoded(parts[2]) if len(parts) == 3 else None
        if not data or len(data) != 33 or data[0] not in (LOG, WITNESS) or not re.fullmatch("[!-*,-~]{1,200}", parts[0]):
            raise ValueError("not a public key: name+hash+base64")
        self.name, self.kind, self.bytes = parts[0], data[0], data[1:]
        self.id = hashlib.sha256(self.name.encode() + b"\n" + data).digest()[:4]
        if self.id.hex() != parts[1] or decompress(self.bytes) is None:
            raise ValueError("the hash does not belong to the name and the key")
        self.text = line

    def time(self, text, signature):
        """Whether the key signed the text: the time for a witness, 0 for a log, None if it did not."""
        if self.kind == LOG:
            return 0 if ed25519_verifies(self.bytes, text.encode(), signature) else None
        time = int.from_bytes(signature[:8], "big")
        message = f"cosignature/v1\ntime {time}\n{text}".encode()
        return time if len(signature) == 72 and ed25519_verifies(self.bytes, message, signature[8:]) else None


def parse_note(data):
    """Text and signatures (name, key ID, bytes) of a signed note, or None."""
    try:
        note = data.decode("utf-8")
    except UnicodeDecodeError:
        return None
    if len(data) > MAX_TEXT or re.search("[\x00-\x09\x0b-\x1f\x7f-\x9f]", note):
        return None
    split = note.rfind("\n\n")
    if split < 0 or not note.endswith("\n") or len(note) < split + 3:
        return None
    signatures = []
    for line in note[split + 2 : -1].split("\n"):
        start, name, encoded = (line.split(" ", 2) + ["", ""])[:3]
        signature = decoded(encoded)
        if start != "\u2014" or not name or not signature or len(signature) < 5:
            return None
        signatures.append((name, signature[:4], signature[4:]))
    return (note[: split + 1], signatures) if len(signatures) <= 100 else None


def parse_checkpoint(text):
    """Origin, size and root hash of a checkpoint, or None."""
    lines = text[:-1].split("\n")
    if len(lines) < 3 or "" in lines or not re.fullmatch("0|[1-9][0-9]{0,19}", lines[1]):
        return None
    root = decoded(lines[2])
    return (lines[0], int(lines[1]), root) if root and len(root) == 32 and int(lines[1]) < 1 << 64 else None


class Judge:
    """Judges checkpoints by what the person who verifies has from elsewhere."""

    def __init__(self, keys, witnesses, origin):
        self.keys, self.witnesses, self.origin = keys, witnesses, origin
        self.seen = {}
        self.signer = None

    def read(self, which, data):
        note = parse_note(data)
        checkpoint = note and parse_checkpoint(note[0])
        if not checkpoint:
            raise Fault(f"{which}: this is not a signed checkpoint")
        if checkpoint[0] != self.origin:
            raise Fault(f"{which}: it belongs to another log")
        if checkpoint[1] == 0 and checkpoint[2] != Tree().root():
            raise Fault(f"{which}: its root is not that of an empty log")
        return note, checkpoint[1], checkpoint[2]

    @staticmethod
    def signed(which, note, keys):
        """The first of the note's signatures that one of the keys made. All signatures that name such a key must fit."""
        first = None
        for name, key_id, signature in note[1]:
            key = next((key for key in keys if (key.name, key.id) == (name, key_id)), None)
            if key:
                if key.time(note[0], signature) is None:
                    raise Fault(f"{which}: the signature by {name} does not fit it")
                first = first or key
        return first

    def judge(self, which, note, size):
        """The given key that signed the note, and whether a given witness did."""
        signer, cosigned = self.signed(which, note, self.keys), False
        for witness in self.witnesses:
            signature = next((one[2] for one in note[1] if (one[0], one[1]) == (witness.name, witness.id)), None)
            if signature is not None:
                time, cosigned = witness.time(note[0], signature), True
                if time is None:
                    raise Fault(f"{which}: the signature by {witness.name} does not fit it")
                if size >= self.seen.get(witness.text, (0, 0))[0]:
                    self.seen[witness.text] = (size, time)
        return signer, cosigned

    def of_bundle(self, which, data, listed):
        note, size, root = self.read(which, data)
        for signature in note[1]:
            if not any((key.name, key.id) == signature[:2] for key in listed):
                raise Fault(f"{which}: it is signed by a key that keys.txt does not list")
            self.signed(which, (note[0], [signature]), listed)
        return size, root, self.judge(which, note, size)[0]

    def given(self, which, data):
        note, size, root = self.read(which, data)
        if not any(self.judge(which, note, size)):
            raise Fault(f"{which}: no key that was given signed it")
        return size, root

    def witnessed(self):
        for witness in self.witnesses:
            if witness.text not in self.seen:
                raise Fault(
                    f"the witness {witness.name} cosigned neither a checkpoint of the bundle nor the one that was given"
                )


# --- the container: a tar file in which each header has one form ---


def header(name, size, time):
    if not re.fullmatch("[A-Za-z0-9._/-]{1,99}", name):
        return None
    fields = f"0000644\0{0:07o}\0{0:07o}\0{size:011o}\0{time:011o}\0".encode()
    head, tail = name.encode().ljust(100, b"\0") + fields, b"0".ljust(101, b"\0") + b"ustar\x0000"
    tail = tail.ljust(329 - 156, b"\0") + b"0000000\x000000000\0"
    tail = tail.ljust(512 - 156, b"\0")
    return head + f"{sum(head) + sum(tail) + 8 * 32:06o}\0 ".encode() + tail


class Files:
    """The files of a bundle in their order."""

    def __init__(self, stream):
        self.stream = stream
        self.ahead = None

    def read(self, name, size):
        data = self.stream.read(size)
        if len(data) != size:
            raise Fault(f"{name}: the bundle ends here, incomplete")
        return data

    def next(self, expected):
        """Name and size of the next file, or None at the end."""
        if self.ahead:
            (found,), self.ahead = self.ahead, None
            return found
        block = self.read(expected, 512)
        if not any(block):
            if any(self.read(expected, 512)):
                raise Fault(f"{expected}: the header of this file is damaged")
            if self.stream.read(1):
                raise Fault(f"{expected}: the bundle goes on after its end")
            return None
        try:
            name = block[:100].split(b"\0")[0].decode("ascii")
            numbers = re.fullmatch(b"([0-7]{11})\0([0-7]{11})\0", block[124:148])
            size, time = int(numbers[1], 8), int(numbers[2], 8)
        except (ValueError, TypeError):
            raise Fault(f"{expected}: the header of this file is damaged") from None
        if header(name, size, time) != block:
            raise Fault(f"{expected}: the header of this file is damaged")
        return name, size

    def file(self, name, most=MAX_TEXT):
        found = self.next(name)
        if not found or found[0] != name:
            raise Fault(f"{name}: the file is missing or not in its place")
        if found[1] > most:
            raise Fault(f"{name}: the file is too large")
        data = self.read(name, found[1])
        if any(self.read(name, -found[1] % 512)):
            raise Fault(f"{name}: the bytes between two files are not zero")
        return data

    def text(self, name):
        data = self.file(name)
        try:
            return data.decode("utf-8")
        except UnicodeDecodeError:
            raise Fault(f"{name}: the file is not UTF-8 text") from None

    def older(self):
        """Size by the name, and bytes, of the next older checkpoint."""
        found = self.next(chunk_name(1))
        self.ahead = [found]
        match = found and re.fullmatch("checkpoints/(0|[1-9][0-9]{0,19})\\.txt", found[0])
        if not match or int(match[1]) >= 1 << 64:
            return None
        return int(match[1]), self.text(found[0]).encode()

    def chunks(self):
        """The lines of each file of entries."""
        number = 1
        while True:
            name = chunk_name(number)
            found = self.next(name)
            if not found:
                return
            self.ahead = [found]
            data = self.file(name, MAX_CHUNK_BYTES)
            if not data.endswith(b"\n"):
                raise Fault(f"{name}: its last line has no end")
            lines = data[:-1].split(b"\n")
            if len(lines) > MAX_CHUNK_LINES:
                raise Fault(f"{name}: the file has too many lines")
            yield lines
            number += 1


def chunk_name(number):
    return f"entries/{number:06}.jsonl"


# --- JSON ---

canonical = json.JSONEncoder(ensure_ascii=False, sort_keys=True, separators=(",", ":"), allow_nan=False).encode


def refuse(*_):
    raise ValueError("more than one meaning")


def unique(pairs):
    found = dict(pairs)
    return found if len(found) == len(pairs) else refuse()


def number(text):
    return 0 if math.isfinite(float(text)) else refuse()


strict = json.JSONDecoder(object_pairs_hook=unique, parse_int=number, parse_float=number, parse_constant=refuse).decode
plain = json.JSONDecoder(object_pairs_hook=unique, parse_constant=refuse).decode
MANIFEST_TYPES = {"contents": bool, "format": str, "origin": str, "size": int, "tenant": str, "version": int}
LEAF_TYPES = {"actionId": str, "at": int, "contentHash": str, "event": str, "seq": int, "tenant": str, "version": int}


def has_types(value, types):
    return type(value) is dict and value.keys() == types.keys() and all(type(value[key]) is types[key] for key in types)


def depth(value):
    if type(value) in (dict, list):
        return 1 + max(map(depth, value.values() if type(value) is dict else value), default=0)
    return 0


def is_unambiguous(text):
    """Whether the text is a JSON object without doubled keys, at most 127 levels deep, without halves of surrogate pairs."""
    if not (text.startswith("{") and text.endswith("}")):
        return False
    try:
        value = strict(text)
        if text.count("{") + text.count("[") > MAX_DEPTH and depth(value) > MAX_DEPTH:
            return False
        if "\\u" in text:
            canonical(value).encode()
    except (ValueError, RecursionError):
        return False
    return True


def parse_manifest(text):
    try:
        manifest = plain(text)
    except (ValueError, RecursionError):
        return None
    if (
        has_types(manifest, MANIFEST_TYPES)
        and (manifest["format"], manifest["version"]) == ("loopiq-audit-bundle", 1)
        and re.fullmatch("[a-z0-9-]{1,63}", manifest["tenant"])
        and re.fullmatch("[!-~]{1,200}", manifest["origin"])
        and 0 <= manifest["size"] <= 1 << 53
        and canonical(manifest) + "\n" == text
    ):
        return manifest
    return None


# --- entries ---

LINE = re.compile(
    r'\{"leaf":(.*?\}),"leafHash":"sha256:([0-9a-f]{64})"(?:,"salt":"([0-9a-f]{32})","content":(.*))?\}', re.DOTALL
)


def parse_leaf(text):
    try:
        leaf = plain(text)
    except (ValueError, RecursionError):
        return None
    types = LEAF_TYPES
    if type(leaf) is dict and leaf.get("actionId", 0) is None:
        types = {**LEAF_TYPES, "actionId": type(None)}
    is_leaf = has_types(leaf, types) and leaf["version"] == 1 and max(abs(leaf["at"]), abs(leaf["seq"])) <= 1 << 53
    return leaf if is_leaf and canonical(leaf) == text else None


def check_entry(line, seq, manifest):
    """The leaf hash, and whether the entry has its content."""
    try:
        match = LINE.fullmatch(line.decode("utf-8"))
    except UnicodeDecodeError:
        match = None
    leaf = match and parse_leaf(match[1])
    if not leaf:
        raise Fault(f"entry {seq} is damaged: its line does not have the form of an entry")
    if leaf["seq"] != seq:
        raise Fault(f"entry {seq} is missing or out of order: entry {leaf['seq']} is in its place")
    if leaf["tenant"] != manifest["tenant"]:
        raise Fault(f"entry {seq} belongs to another tenant")
    leaf_hash = hashlib.sha256(b"\0" + match[1].encode())
    if leaf_hash.hexdigest() != match[2]:
        raise Fault(f"entry {seq} was changed: its leaf does not have its leaf hash")
    salt, content = match[3], match[4]
    if content is not None:
        if not manifest["contents"]:
            raise Fault(f"entry {seq} has a content, in a bundle without contents")
        if "sha256:" + hashlib.sha256((salt + content).encode()).hexdigest() != leaf["contentHash"]:
            raise Fault(f"entry {seq} was changed: its content does not have the hash that its leaf contains")
        if not is_unambiguous(content):
            raise Fault(f"entry {seq} has a content that is not a JSON object with one meaning")
    return leaf_hash.digest(), content is not None


class Tree:
    """The Merkle tree of RFC 6962: the roots of its complete subtrees, from left to right."""

    def __init__(self):
        self.size, self.complete = 0, []

    def push(self, leaf_hash):
        index = self.size
        while index & 1:
            leaf_hash = hashlib.sha256(b"\1" + self.complete.pop() + leaf_hash).digest()
            index >>= 1
        self.complete.append(leaf_hash)
        self.size += 1

    def root(self):
        if not self.complete:
            return hashlib.sha256().digest()
        root = self.complete[-1]
        for left in self.complete[-2::-1]:
            root = hashlib.sha256(b"\1" + left + root).digest()
        return root


class Roots:
    """The roots that the tree must have on its way: (size, root, which checkpoint)."""

    def __init__(self, roots):
        self.ahead = sorted(roots, key=lambda known: known[0])[::-1]
        self.agreed = 0

    def check(self, tree):
        agreed = self.agreed
        while self.ahead and self.ahead[-1][0] == tree.size:
            end, root, which = self.ahead.pop()
            if root != tree.root():
                first = agreed + 1
                entries = f"entry {end} was" if first == end else f"one or more of the entries {first} to {end} were"
                raise Fault(f"{entries} replaced with new hashes: the first {end} entries do not have the root of {which}")
            self.agreed = end


# --- the bundle ---


def number_of(count, one):
    if count == 1:
        return f"1 {one}"
    return f"{count} {one[:-1]}ies" if one.endswith("y") else f"{count} {one}s"


def verify(stream, keys, witnesses, checkpoint, progress):
    """The lines of the report. Raises Fault with the first reason why the bundle is not accepted."""
    files = Files(stream)
    files.file("README.txt")
    files.file("verify.py")
    manifest = parse_manifest(files.text("manifest.json"))
    if not manifest:
        raise Fault("manifest.json: it does not describe a bundle of version 1")
    listed = parse_listed(files.text("keys.txt"))
    judge = Judge(keys, witnesses, manifest["origin"])
    which = "the checkpoint of the bundle"
    size, root, key = judge.of_bundle(which, files.text("checkpoint.txt").encode(), listed)
    if not key:
        raise Fault(f"{which}: no key that was given signed it")
    if size != manifest["size"]:
        raise Fault(f"{which}: it has another size than the bundle says")
    roots, untrusted, before = [], 0, -1
    for named, data in iter(files.older, None):
        older = f"the older checkpoint checkpoints/{named}.txt"
        if before >= named or named >= size or len(roots) == MAX_OLDER:
            raise Fault(f"{older}: it is not in its place")
        older_size, older_root, older_key = judge.of_bundle(older, data, listed)
        if older_size != named:
            raise Fault(f"{older}: it has another size than the bundle says")
        untrusted += older_key is None
        before = named
        roots.append((named, older_root, older))
    older_count = len(roots)
    roots.append((size, root, which))
    given = None
    if checkpoint is not None:
        which = "the checkpoint that was given"
        given, given_root = judge.given(which, checkpoint)
        if given > size:
            raise Fault(
                f"entry {size + 1} is missing, and all after it: {which} has {given} entries. "
                "Either they were removed, or the bundle is older than the checkpoint"
            )
        roots.append((given, given_root, which))
    judge.witnessed()

    tree, roots, contents, without = Tree(), Roots(roots), 0, None
    roots.check(tree)
    for lines in files.chunks():
        for line in lines:
            seq = tree.size + 1
            if seq > size:
                raise Fault(f"entry {seq} was added: the checkpoint of the bundle ends before it")
            leaf_hash, has_content = check_entry(line, seq, manifest)
            tree.push(leaf_hash)
            contents += has_content
            if not has_content and without is None:
                without = seq
            roots.check(tree)
        progress(tree.size, size)
    if tree.size < size:
        raise Fault(f"entry {tree.size + 1} is missing, and all after it: the checkpoint of the bundle has {size} entries")

    report = [
        f"{manifest['tenant']}: {number_of(size, 'entry')} and {number_of(contents, 'content')} are valid; "
        f"the root is that of the checkpoint signed by {key.text}"
    ]
    if not manifest["contents"]:
        report.append("contents: the bundle was made without them")
    elif without is not None:
        missing = number_of(size - contents, "entry")
        report.append(f"contents: {missing} without content (purged, or removed from this bundle), the first is entry {without}")
    if older_count:
        report.append(f"checkpoints: the log continues {number_of(older_count, 'older checkpoint')} of the bundle")
        if untrusted:
            report[-1] += f"; {untrusted} of them signed by other keys than those given"
    if given is not None:
        report.append(f"earlier checkpoint: the log continues it, with its {number_of(given, 'entry')} unchanged")
    for witness in witnesses:
        seen, time = judge.seen[witness.text]
        report.append(f"witness {witness.name}: saw the first {number_of(seen, 'entry')}, last at {utc(time)}")
    return report


def utc(seconds):
    try:
        time = datetime.datetime(1970, 1, 1) + datetime.timedelta(seconds=seconds)
    except OverflowError:
        return f"{seconds} s after 1970"
    return time.strftime("%Y-%m-%d %H:%M:%S UTC")


def parse_listed(text):
    lines = text[:-1].split("\n")
    try:
        if not text.endswith("\n") or len(set(lines)) != len(lines) or len(lines) > MAX_KEYS:
            raise ValueError
        return [Key(line) for line in lines]
    except ValueError:
        raise Fault("keys.txt: it is not a list of public keys") from None


def read_keys(path, kind):
    keys = []
    for number, line in enumerate(read(path).decode("utf-8", "replace").split("\n"), 1):
        line = line.strip()
        if line and not line.startswith("#"):
            try:
                keys.append(Key(line))
                if keys[-1].kind != kind:
                    raise ValueError("this is the key of a witness" if kind == LOG else "this is not the key of a witness")
            except ValueError as error:
                raise Unusable(f"{path}: line {number}: {error}") from None
    if not keys:
        raise Unusable(f"{path}: the file contains no key")
    return keys


def read(path):
    with open(path, "rb") as file:
        return file.read(1 << 20)


def show_progress(done, size):
    if sys.stderr.isatty():
        share = 100 * done // max(size, 1)
        print(f"\r{done} of {size} entries ({share} %)", end="\n" if done >= size else "", file=sys.stderr)


def main():
    parser = argparse.ArgumentParser(description="Verifies a bundle of a LoopIQ audit log.")
    parser.add_argument("bundle", help="the bundle, or - for the standard input")
    parser.add_argument("--key", required=True, help="file with the public keys of the log")
    parser.add_argument("--checkpoint", help="file with a checkpoint that you or a witness kept")
    parser.add_argument("--witness", help="file with the public keys of witnesses")
    args = parser.parse_args()
    try:
        keys = read_keys(args.key, LOG)
        witnesses = read_keys(args.witness, WITNESS) if args.witness else []
        checkpoint = read(args.checkpoint) if args.checkpoint else None
        with sys.stdin.buffer if args.bundle == "-" else open(args.bundle, "rb") as stream:
            report = verify(stream, keys, witnesses, checkpoint, show_progress)
    except Fault as fault:
        print(f"not valid: {fault}")
        return 1
    except (OSError, Unusable) as error:
        print(f"verify.py: {error}", file=sys.stderr)
        return 2
    print("\n".join(report))
    return 0


if __name__ == "__main__":
    sys.exit(main())
