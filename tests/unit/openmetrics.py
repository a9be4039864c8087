# SPDX-License-Identifier: LGPL-2.1-or-later
"""Print the samples of a file of OpenMetrics, as Prometheus' own client reads
them: NAME, the labels as JSON, VALUE. --text reads Prometheus' older format."""
import json
import sys

from prometheus_client import openmetrics, parser
import prometheus_client.openmetrics.parser

args = sys.argv[1:]
read = openmetrics.parser.text_string_to_metric_families
if args[0] == "--text":
    read = parser.text_string_to_metric_families
    args.pop(0)
with open(args[0], encoding="utf-8", newline="") as file:
    for family in read(file.read()):
        if not family.documentation:
            sys.exit(f"{family.name} has no help")
        for sample in family.samples:
            print(sample.name, json.dumps(sample.labels, sort_keys=True),
                  f"{sample.value:g}" if sample.value < 1000
                  else int(sample.value), sep="\t")
