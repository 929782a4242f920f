"""Random messages of any type, and hostile variants of their JSON: what others.py feeds on."""

import json
import random

from google.protobuf.descriptor import FieldDescriptor as F

TEXTS = ["", "a", "naïve", "🎬", "\"\\/\b\f\n\r\t", "\x01\x1f\x7f", "\u2028<&>", "jobs/0190-abc", "x" * 300, "1", "null"]
INTS = {bits: [0, 1, -1, 2**31 - 1, -2**31, 2**(bits - 1) - 1, -2**(bits - 1), 2**53, 2**53 + 1, 123456789]
        for bits in (32, 64)}
DOUBLES = [1.0, -1.5, 0.1, 1 / 3, 1e300, -5e-324, 1.7976931348623157e308, 2.0**53, 2.0**63, 1e15, 1e16, 123456.789, 1e-7]
FLOATS = [1.0, -1.5, 0.1, 1 / 3, 1e38, 1.17549435e-38, 16777216.0, 16777217.0, 1e-7, 123456.79]
WORDS = [float("inf"), float("-inf")]
NAN = [float("nan")]
NAMES = ["a", "display_name", "job.labels", "a_b_c.d1_e", "x1"]
INT32 = (F.TYPE_INT32, F.TYPE_SINT32, F.TYPE_SFIXED32)
INT64 = (F.TYPE_INT64, F.TYPE_SINT64, F.TYPE_SFIXED64)
UINT32 = (F.TYPE_UINT32, F.TYPE_FIXED32)


class Maker:
    """@random decides everything, so a seed brings the same messages again."""

    def __init__(self, rng, unknown_enums=False, nan=True):
        self.rng = rng
        self.unknown_enums = unknown_enums
        self.words = WORDS + (NAN if nan else [])

    def whole(self, bits, signed):
        value = self.rng.choice(INTS[bits] + [self.rng.getrandbits(bits) - 2**(bits - 1)])
        return value % 2**bits if not signed else (value + 2**(bits - 1)) % 2**bits - 2**(bits - 1)

    def enum(self, field):
        if self.unknown_enums and field.enum_type.name != "NullValue" and self.rng.random() < 0.2:
            return self.rng.choice([99, -99, 2**31 - 1])
        return self.rng.choice(field.enum_type.values).number

    def scalar(self, field):
        if field.type in INT32:
            return self.whole(32, True)
        if field.type in INT64:
            return self.whole(64, True)
        if field.type in UINT32:
            return self.whole(32, False)
        if field.cpp_type == F.CPPTYPE_UINT64:
            return self.whole(64, False)
        if field.type == F.TYPE_DOUBLE:
            return self.rng.choice(DOUBLES + self.words + [self.rng.gauss(0, 1e6)])
        if field.type == F.TYPE_FLOAT:
            return self.rng.choice(FLOATS + self.words + [self.rng.gauss(0, 1e6)])
        if field.type == F.TYPE_BOOL:
            return self.rng.random() < 0.5
        if field.type == F.TYPE_ENUM:
            return self.enum(field)
        if field.type == F.TYPE_BYTES:
            return self.rng.randbytes(self.rng.choice([0, 1, 2, 3, 4, 50]))
        return self.rng.choice(TEXTS)

    def value(self, value, depth):
        kind = self.rng.randrange(6 if depth > 0 else 4)
        if kind == 0:
            value.null_value = 0
        elif kind == 1:
            value.number_value = self.rng.choice(DOUBLES + [0.0, self.rng.gauss(0, 1e6)])
        elif kind == 2:
            value.string_value = self.rng.choice(TEXTS)
        elif kind == 3:
            value.bool_value = self.rng.random() < 0.5
        elif kind == 4:
            value.struct_value.SetInParent()
            self.struct(value.struct_value, depth - 1)
        else:
            value.list_value.SetInParent()
            self.list_value(value.list_value, depth - 1)

    def struct(self, struct, depth):
        for _ in range(self.rng.randrange(4)):
            self.value(struct.fields[self.rng.choice(TEXTS)], depth)

    def list_value(self, value, depth):
        for _ in range(self.rng.randrange(4)):
            self.value(value.values.add(), depth)

    def nanos(self):
        return self.rng.choice([0, 1, 1000, 1000000, 250000000, 999999999, self.rng.randrange(10**9)])

    def well_known(self, message, depth):
        name = message.DESCRIPTOR.name
        if name == "Timestamp":
            message.seconds = self.rng.choice([-62135596800, 253402300799, 0, -1, self.rng.randrange(2**32)])
            message.nanos = self.nanos()
        elif name == "Duration":
            sign = self.rng.choice([1, -1])
            message.seconds = sign * self.rng.choice([0, 1, 315576000000, self.rng.randrange(2**32)])
            message.nanos = sign * self.nanos()
        elif name == "FieldMask":
            message.paths.extend(self.rng.sample(NAMES, self.rng.randrange(4)))
        elif name == "Struct":
            self.struct(message, depth)
        elif name == "Value":
            self.value(message, depth)
        else:
            self.list_value(message, depth)

    def map(self, message, field, depth):
        key, value = (field.message_type.fields_by_name[name] for name in ("key", "value"))
        entries = getattr(message, field.name)
        for _ in range(self.rng.randrange(1, 4)):
            if value.message_type:
                self.fill(entries[self.scalar(key)], depth - 1)
            else:
                entries[self.scalar(key)] = self.scalar(value)

    def field(self, message, field, depth):
        if field.message_type and field.message_type.GetOptions().map_entry:
            self.map(message, field, depth)
        elif field.label == F.LABEL_REPEATED and field.message_type:
            for _ in range(self.rng.randrange(1, 3)):
                self.fill(getattr(message, field.name).add(), depth - 1)
        elif field.label == F.LABEL_REPEATED:
            getattr(message, field.name).extend(self.scalar(field) for _ in range(self.rng.randrange(1, 4)))
        elif field.message_type:
            getattr(message, field.name).SetInParent()
            self.fill(getattr(message, field.name), depth - 1)
        else:
            setattr(message, field.name, self.scalar(field))

    def fill(self, message, depth=4):
        if message.DESCRIPTOR.file.name.startswith("google/protobuf/"):
            self.well_known(message, depth)
            return message
        share = self.rng.choice([0.1, 0.2, 0.5]) if depth > 0 else 0.0
        for field in message.DESCRIPTOR.fields:
            if self.rng.random() < share:
                self.field(message, field, depth)
        return message


# Nearly good, or very good, in place of any value.
HOSTILE = [
    "null", "true", "false", "0", "1", "-1", "1.0", "1.5", "1e3", "-0", "1e-1", "4294967295", "4294967296", "2147483648",
    "-2147483649", "9223372036854775807", "9223372036854775808", "18446744073709551615", "18446744073709551616",
    "18446744073709551615.0", "9007199254740993", "9007199254740993.0", "1e19", "1e400", "3.5e38", "3.4028235e38",
    "1e1000000000", "NaN", "Infinity", "-Infinity", "[]", "{}", "[null]", "[[]]", '{"":1}', '""', '"0"', '"1e3"', '"1.0"',
    '"1.5"', '" 1"', '"1 "', '"+1"', '"01"', '"1_0"', '"0x1"', '"18446744073709551615"', '"true"', '"NaN"', '"nan"', '"inf"',
    '"Infinity"', '"-Infinity"', '"3.5e38"', '"\\u0000"', '"\\ud83c"', '"\\ud83c\\udfac"', '"\\u00e9"', '"AA"', '"AA=="', '"A"',
    '"A==="', '"-_"', '"+/-_"', '"A A="', '"1s"', '"1.5s"', '"-1.5s"', '"+1s"', '".5s"', '"1.s"', '"01s"', '"1.0123456789s"',
    '"315576000000s"', '"315576000001s"', '"s"', '"1"', '"2026-11-30T21:00:00Z"', '"2026-11-30T21:00:00.5+01:00"',
    '"2026-11-30T21:00:00"', '"2026-11-30t21:00:00Z"', '"2026-11-30T21:00:60Z"', '"2026-11-30T21:00:61Z"',
    '"2026-2-3T4:5:6Z"', '"0001-01-01T00:00:00+01:00"', '"9999-12-31T23:59:59-01:00"', '"0000-01-01T00:00:00Z"',
    '"2026-11-30T21:00:00+99:99"', '"a,b"', '"aB.cD"', '"a_b"', '"A"', '"a,,b"', '"*"', '"é"', "01", "+1", ".5", "1.", "'a'",
    "[1,]", '{"a":1,"a":2}', '"\t"', '"\\x41"', "nul", "undefined", '"JOB_STATE_RUNNING"', '"COLOUR_RED"', '"1"', '"99"', "99",
]


class Raw:
    def __init__(self, text):
        self.text = text


def dump(tree):
    if isinstance(tree, Raw):
        return tree.text
    if isinstance(tree, dict):
        return "{" + ",".join(json.dumps(key) + ":" + dump(value) for key, value in tree.items()) + "}"
    if isinstance(tree, list):
        return "[" + ",".join(map(dump, tree)) + "]"
    return json.dumps(tree)


def places(tree):
    """Every (container, key) below @tree."""
    items = tree.items() if isinstance(tree, dict) else enumerate(tree) if isinstance(tree, list) else ()
    for key, value in items:
        yield tree, key
        yield from places(value)


def spoil_tree(rng, tree, fields):
    """One value becomes another, or one member gets another name or a second one."""
    container, key = rng.choice(list(places(tree)) or [({}, "a")])
    what = rng.randrange(6)
    if what < 4 or not isinstance(container, dict):
        container[key] = Raw(rng.choice(HOSTILE))
    elif what == 4:
        container[rng.choice(fields)] = container.pop(key, None)
    else:
        container[rng.choice(fields)] = Raw(rng.choice(HOSTILE))
    return dump(tree).encode()


def spoil_text(rng, text):
    """Bytes are lost, doubled, changed, or come from elsewhere in the text."""
    text = bytearray(text)
    for _ in range(rng.choice([1, 1, 2])):
        at, n = rng.randrange(len(text) + 1), rng.choice([1, 1, 2, 5])
        what = rng.randrange(4)
        if what == 0:
            del text[at:at + n]
        elif what == 1:
            text[at:at] = text[at:at + n]
        elif what == 2:
            text[at:at + 1] = bytes([rng.choice(b'"\\{}[],:0123456789.eE+-_ abnrtfuNI\x00\x1f\x7f\x80\xff')])
        else:
            start = rng.randrange(len(text) + 1)
            text[at:at] = text[start:start + n]
    return bytes(text)
