#!/usr/bin/env python3
"""Reads Prometheus text from standard input with the parser of Prometheus' own client, which shares no code with the
daemon, and prints it as JSON: {sample name: [[labels, value], …]}. Complains of what the parser lets pass."""

import json
import math
import sys

from prometheus_client.parser import text_string_to_metric_families


def check_histogram(family):
    """Buckets rise, the last is infinity and says what _count says."""
    rows = {}
    for sample in family.samples:
        labels = tuple(sorted((k, v) for k, v in sample.labels.items() if k != "le"))
        rows.setdefault(labels, {"buckets": []})
        if sample.name.endswith("_bucket"):
            rows[labels]["buckets"].append((float(sample.labels["le"]), sample.value))
        else:
            rows[labels][sample.name.rsplit("_", 1)[1]] = sample.value
    for labels, row in rows.items():
        bounds, counts = zip(*row["buckets"])
        assert list(bounds) == sorted(set(bounds)) and bounds[-1] == math.inf, (family.name, labels)
        assert list(counts) == sorted(counts) and counts[-1] == row["count"], (family.name, labels)
        assert "sum" in row, (family.name, labels)


def main():
    samples, seen = {}, set()
    for family in text_string_to_metric_families(sys.stdin.read()):
        assert family.documentation and family.type in ("counter", "gauge", "histogram"), family
        assert family.name not in seen, f"{family.name} comes twice"
        seen.add(family.name)
        if family.type == "histogram":
            check_histogram(family)
        keys = [(s.name, tuple(sorted(s.labels.items()))) for s in family.samples]
        assert len(keys) == len(set(keys)), f"{family.name} has a sample twice"
        assert keys, f"{family.name} has no samples"
        for sample in family.samples:
            assert family.type != "counter" or sample.name.endswith("_total"), sample.name
            samples.setdefault(sample.name, []).append([sample.labels, sample.value])
    json.dump(samples, sys.stdout)


if __name__ == "__main__":
    main()
