#!/usr/bin/env bash
echo "Hello from a .sh WebJob"
echo "Arguments: $*"
for name in NAME TYPE RUN_ID PATH DATA_PATH; do
    variable="WEBJOBS_$name"
    echo "$variable=${!variable}"
done
exit 0
