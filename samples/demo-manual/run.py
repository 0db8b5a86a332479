"""Builds a small report in about ten seconds. Arguments: the regions to report on."""

import csv
import os
import sys
import time
from pathlib import Path

REGIONS = sys.argv[1:] or ["North", "East", "South", "West"]
STEPS = 20
PAUSE = float(os.environ.get("REPORT_SECONDS", "10")) / STEPS


def sales(region: str, step: int) -> int:
    return (sum(region.encode()) * 31 + step * 97) % 500


totals = dict.fromkeys(REGIONS, 0)
print(f"Reading {STEPS} batches for {', '.join(REGIONS)}")
for step in range(1, STEPS + 1):
    for region in REGIONS:
        totals[region] += sales(region, step)
    time.sleep(PAUSE)
    print(f"[{'#' * step}{'.' * (STEPS - step)}] {step * 100 // STEPS} %")

report = Path(os.environ.get("WEBJOBS_DATA_PATH", ".")) / "report.csv"
with report.open("w", newline="") as file:
    csv.writer(file).writerows([("region", "sales"), *totals.items()])
for region, total in totals.items():
    print(f"{region:10} {total:>8,}")
print(f"Report written to {report}")
