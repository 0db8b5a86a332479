#!/usr/bin/env bash
# A heartbeat every few seconds, until the WebJob is asked to stop.
every=${HEARTBEAT_SECONDS:-5}
stop=
trap 'stop=yes' TERM INT

echo "Heartbeat of $WEBJOBS_NAME every $every seconds"
beat=0
waited=$every
while [ -z "$stop" ] && [ ! -e "$WEBJOBS_SHUTDOWN_FILE" ]; do
    if [ "$waited" -ge "$every" ]; then
        beat=$((beat + 1))
        waited=0
        echo "$(date -u +%H:%M:%S) beat $beat"
    fi
    sleep 1
    waited=$((waited + 1))
done
echo "Asked to stop after $beat beats: finished in order"
exit 0
