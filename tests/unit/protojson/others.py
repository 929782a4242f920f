#!/usr/bin/python3
"""Our mapper against json_format of Python's protobuf and against buf, both ways, on random messages; and against
json_format on texts that are nearly good: both read them, to the same message, or both refuse, but for the differences
that are named below.

    others.py LINES IMAGE EVERY_PB BUF [SEED]

LINES is lines.c, IMAGE the contract's descriptors, EVERY_PB those of every.proto.
"""

import collections
import json
import os
import random
import re
import subprocess
import sys
import tempfile
import unittest

from google.protobuf import descriptor_pb2, descriptor_pool, json_format, message_factory

from random_message import Maker, spoil_text, spoil_tree

LINES, IMAGE, EVERY, BUF = sys.argv[1:5]
SEED = int(sys.argv[5]) if len(sys.argv) > 5 else random.SystemRandom().randrange(2**32)
MESSAGES, HOSTILE_TEXTS = 1500, 4000
NUMBER = re.compile(r"-?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][-+]?[0-9]+)?")


def load():
    """The pool, and the files in an order in which each comes after what it imports."""
    files = {}
    for path in (IMAGE, EVERY):
        with open(path, "rb") as file:
            for each in descriptor_pb2.FileDescriptorSet.FromString(file.read()).file:
                files.setdefault(each.name, each)
    pool, done = descriptor_pool.DescriptorPool(), []

    def add(name):
        if files[name] not in done:
            for dependency in files[name].dependency:
                add(dependency)
            done.append(files[name])
            pool.AddSerializedFile(files[name].SerializeToString())

    for name in sorted(files):
        add(name)
    return pool, done


POOL, FILES = load()
FACTORY = message_factory.MessageFactory(POOL)


def message_types():
    """Of every method of the contract, and the message of every kind of field."""
    names = {"every.Every"}
    for file in FILES:
        for service in file.service:
            for method in service.method:
                names |= {method.input_type[1:], method.output_type[1:]}
    return [FACTORY.GetPrototype(POOL.FindMessageTypeByName(name)) for name in sorted(names)]


TYPES = message_types()


def ask(cases):
    """Answers of the mapper to (direction, type, bytes): bytes, or a text that says why not."""
    lines = "".join(f"{what}\t{kind.DESCRIPTOR.full_name}\t{data.hex()}\n" for what, kind, data in cases)
    done = subprocess.run([LINES], input=lines.encode(), stdout=subprocess.PIPE, check=True, timeout=300)
    answers = [line.split("\t") for line in done.stdout.decode().split("\n")[:-1]]
    assert len(answers) == len(cases), f"{len(answers)} answers to {len(cases)} cases"
    return [bytes.fromhex(answer[1]) if answer[0] == "ok" else "\t".join(answer[1:]) for answer in answers]


def packed(message):
    """In one spelling: a NaN is not equal to itself."""
    return message.SerializeToString(deterministic=True)


def parse(kind, text):
    """What json_format makes of it; None: it refuses, with whatever exception."""
    try:
        return json_format.Parse(text, kind())
    except (json_format.ParseError, ValueError, TypeError, AttributeError, KeyError, OverflowError, RecursionError):
        return None


def quoted(words):
    """The value that our words show, which begins and ends them up to @words."""
    found = re.search(r"'(.*)' (?:is|would)", words, re.DOTALL)
    return found.group(1) if found else ""


def is_sloppy(value):
    """No number of JSON: Python's int() and float() know underscores, a plus, spaces, leading zeros, digits of other
    scripts, and words like "inf"."""
    return not NUMBER.fullmatch(value)


def is_rounded(text):
    """Is there a number with more digits than a double has? json_format makes a float of what has a point or exponent."""
    return any(len(digits.replace(".", "")) > 15 for digits in re.findall(r"[0-9.]+", text))


DURATION = re.compile(r"-?(0|[1-9][0-9]{0,11})(\.[0-9]{1,9})?s")
INSTANT = re.compile(r"(?!0000)[0-9]{4}-[01][0-9]-[0-3][0-9]T[0-2][0-9]:[0-5][0-9]:[0-5][0-9](\.[0-9]{1,9})?"
                     r"(Z|[-+][0-2][0-9]:[0-5][0-9])")
PATHS = re.compile(r"[a-z][a-zA-Z0-9]*(\.[a-z][a-zA-Z0-9]*)*")

# We refuse, json_format reads: what our words say, and what must be true of the value for that to be on purpose.
OURS_IS_STRICTER = [
    ("NUL", "the text contains a NUL", lambda value, text: "\\u0000" in text),
    ("enum by a number that it has not, or that is quoted or a fraction", "is not a value of",
     lambda value, text: not value or re.fullmatch(r"[-+ _0-9.e]+", value)),
    ("enum by a number that it has not, or that is quoted or a fraction", "is not a whole number from -2147483648 to",
     lambda value, text: NUMBER.fullmatch(value)),
    ("enum or number by true and false", "and not true or false", lambda value, text: True),
    ("number of Python", "is not a whole number", lambda value, text: is_sloppy(value) or is_rounded(value)),
    ("number of Python", "is not a number of this size, nor", lambda value, text: is_sloppy(value)),
    ("quoted number that becomes infinite", "is not a number of this size, nor",
     lambda value, text: f'"{value}"' in text and abs(float(value)) > 3.4e38),
    ("Value that becomes infinite", "is not a number of this size", lambda value, text: abs(float(value)) > 1.7e308),
    ("Value that a double rounds", "would be rounded", lambda value, text: int(float(value)) != int(value)),
    ("key of Python", "the key must be a whole number", lambda value, text: True),
    ("base64 with anything in it", "is not base64",
     lambda value, text: len(value.rstrip("=")) % 4 == 1 or len(value) % 4 or not re.fullmatch(r"[A-Za-z0-9+/]*={0,2}", value)),
    ("duration of Python", "is not a duration", lambda value, text: not DURATION.fullmatch(value)),
    ("timestamp of Python", "is not an instant", lambda value, text: not INSTANT.fullmatch(value)),
    ("timestamp that its offset takes out of the years 1 to 9999, or with an offset of more than a day", "is not an instant",
     lambda value, text: value[:4] in ("0001", "9999") or value[-6] in "+-"),
    ("path of Python", "is not a path", lambda value, text: not PATHS.fullmatch(value)),
    ("field by both names", "is there twice", lambda value, text: True),
    ("null of a Value beside another of its oneof", "only one of this and",
     lambda value, text: re.search(r'"one_?[vV]alue": ?null', text)),
    ("message that is an empty list or text", "must be an object, and not a", lambda value, text: '""' in text or "[]" in text),
    ("NaN and Infinity without quotation marks", "not well-formed JSON",
     lambda value, text: re.search("NaN|Infinity", text)),
]

# We read, json_format refuses.
OURS_IS_MORE_LENIENT = [
    ("quoted whole number with a point or exponent", lambda text: re.search(r'"-?[0-9]+(\.[0-9]+)?([eE][-+]?[0-9]+)?"', text)),
    ("whole number that a float takes out of range", is_rounded),
    ("the largest float", lambda text: "3.4028235e38" in text),
]

# Both read, to other messages.
READ_DIFFERENTLY = [
    ("whole number that a float rounds", is_rounded),
    ("-0, which protobuf-c does not pack", lambda text: re.search(r"-0(\.0*)?([eE].*)?[^.0-9]", text)),
]


def difference(text, ours, theirs):
    """The name of a difference that is on purpose; None: it is not."""
    text = text.decode(errors="replace")
    if isinstance(ours, str) and theirs is not None:
        words = ours.split("\t", 2)[2]
        return next((name for name, says, holds in OURS_IS_STRICTER if says in words and holds(quoted(words), text)), None)
    list_of_names = OURS_IS_MORE_LENIENT if theirs is None else READ_DIFFERENTLY
    return next((name for name, holds in list_of_names if holds(text)), None)


def random_messages(name, n, **options):
    maker = Maker(random.Random(f"{SEED} {name}"), **options)
    every = FACTORY.GetPrototype(POOL.FindMessageTypeByName("every.Every"))
    for i in range(n):
        yield maker.fill(TYPES[i % len(TYPES)]() if i % 4 else every())


class Messages(unittest.TestCase):
    def test_what_we_write_json_format_reads(self):
        messages = list(random_messages("write", MESSAGES, unknown_enums=True))
        answers = ask([("write", type(message), packed(message)) for message in messages])
        for message, text in zip(messages, answers):
            self.assertIsInstance(text, bytes, f"{text}\n{message}")
            read = json_format.Parse(text, type(message)())
            self.assertEqual(packed(read), packed(message), text)
            self.assertEqual(json.loads(text), json_format.MessageToDict(message), text)

    def test_what_json_format_writes_we_read(self):
        rng, cases, messages = random.Random(f"{SEED} style"), [], list(random_messages("read", MESSAGES))
        for message in messages:
            style = {name: rng.random() < 0.3 for name in (
                "preserving_proto_field_name", "including_default_value_fields", "use_integers_for_enums", "ensure_ascii")}
            text = json_format.MessageToJson(message, indent=rng.choice([None, 0, 2]), **style)
            cases.append(("read", type(message), text.encode()))
        for message, case, answer in zip(messages, cases, ask(cases)):
            self.assertIsInstance(answer, bytes, f"{answer}\n{case[2]}")
            self.assertEqual(packed(type(message).FromString(answer)), packed(message), case[2])

    def test_what_is_nearly_good_is_read_by_both_or_refused_by_both(self):
        rng, cases, seen = random.Random(f"{SEED} hostile"), [], collections.Counter()
        for message in random_messages("hostile", HOSTILE_TEXTS):
            text, fields = json_format.MessageToJson(message, indent=None), message.DESCRIPTOR.fields
            names = ["x"] + [field.name for field in fields] + [field.json_name for field in fields]
            text = spoil_tree(rng, json.loads(text), names) if rng.random() < 0.7 else spoil_text(rng, text.encode())
            cases.append(("read", type(message), text))
        for (_, kind, text), ours in zip(cases, ask(cases)):
            theirs = parse(kind, text)
            if isinstance(ours, str) and theirs is None:
                seen["both refuse"] += 1
            elif isinstance(ours, bytes) and theirs is not None and packed(kind.FromString(ours)) == packed(theirs):
                seen["both read the same"] += 1
            else:
                name = difference(text, ours, theirs)
                self.assertIsNotNone(name, f"{kind.DESCRIPTOR.full_name} {text}\nours: {ours}\ntheirs: {theirs}")
                seen[name] += 1
        for name, n in seen.most_common():
            print(f"{n:6} {name}")
        self.assertGreater(seen["both refuse"], HOSTILE_TEXTS / 10)
        self.assertGreater(seen["both read the same"], HOSTILE_TEXTS / 10)


class Buf(unittest.TestCase):
    """buf reads and writes with protobuf-go. A process for each message would take minutes, so all go in one message with
    a list of each type."""

    def setUp(self):
        batch = descriptor_pb2.FileDescriptorProto(name="batch.proto", package="batch", syntax="proto3")
        batch.dependency.extend(file.name for file in FILES)
        whole = batch.message_type.add(name="Batch")
        for i, kind in enumerate(TYPES):
            whole.field.add(name=f"f{i}", json_name=f"f{i}", number=i + 1, label=3, type=11,
                            type_name="." + kind.DESCRIPTOR.full_name)
        self.folder = tempfile.TemporaryDirectory()
        self.addCleanup(self.folder.cleanup)
        image = descriptor_pb2.FileDescriptorSet(file=[*FILES, batch]).SerializeToString()
        self.write("image.binpb", image)
        POOL.AddSerializedFile(batch.SerializeToString())
        self.Batch = message_factory.MessageFactory(POOL).GetPrototype(POOL.FindMessageTypeByName("batch.Batch"))

    def write(self, name, data):
        with open(os.path.join(self.folder.name, name), "wb") as file:
            file.write(data)

    def convert(self, data, form, to):
        self.write(f"in.{form}", data)
        subprocess.run([BUF, "convert", "image.binpb", "--type", "batch.Batch", "--from", f"in.{form}", "--to", f"out.{to}"],
                       cwd=self.folder.name, check=True, timeout=300)
        with open(os.path.join(self.folder.name, f"out.{to}"), "rb") as file:
            return file.read()

    def test_buf_and_we_read_each_other(self):
        messages = list(random_messages("buf", 600, nan=False))  # Go has another NaN
        texts = ask([("write", type(message), packed(message)) for message in messages])
        groups = {i: [text.decode() for message, text in zip(messages, texts) if isinstance(message, kind)]
                  for i, kind in enumerate(TYPES)}
        whole = "{" + ",".join(f'"f{i}":[' + ",".join(group) + "]" for i, group in groups.items()) + "}"
        read = self.Batch.FromString(self.convert(whole.encode(), "json", "binpb"))
        expected = self.Batch()
        for i, kind in enumerate(TYPES):
            getattr(expected, f"f{i}").extend(message for message in messages if isinstance(message, kind))
        self.assertEqual(packed(read), packed(expected))

        theirs = json.loads(self.convert(packed(expected), "binpb", "json"))
        cases, wanted = [], []
        for i, kind in enumerate(TYPES):
            cases += [("read", kind, json.dumps(each).encode()) for each in theirs.get(f"f{i}", [])]
            wanted += list(getattr(expected, f"f{i}"))
        self.assertEqual(len(cases), len(messages))
        for case, answer, message in zip(cases, ask(cases), wanted):
            self.assertIsInstance(answer, bytes, f"{answer}\n{case[2]}")
            self.assertEqual(packed(case[1].FromString(answer)), packed(message), case[2])


if __name__ == "__main__":
    print(f"seed {SEED}")
    unittest.main(argv=sys.argv[:1], verbosity=2)
