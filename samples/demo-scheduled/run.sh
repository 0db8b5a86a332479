#!/usr/bin/env bash
# Notes the free space of the disk; settings.job runs it every five minutes.
log="$WEBJOBS_DATA_PATH/free-space.txt"
free=$(df -Pk "$WEBJOBS_DATA_PATH" | awk 'NR == 2 { printf "%.1f GiB", $4 / 1048576 }')
echo "$(date -u +%Y-%m-%dT%H:%M:%SZ) $free" >> "$log"
echo "Free space: $free"
echo "Last notes:"
tail -n 5 "$log"
exit 0
