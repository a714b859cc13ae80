#!/bin/sh
# Written by Sirena. Looks at the sizes of NGINX's logs every two minutes; ends at once when told to, and its sleep too.
trap 'kill $! 2>/dev/null; wait; exit 0' TERM
while :; do
    /usr/sbin/logrotate --state '/var/lib/sirena/nginx/logrotate.state' '/var/lib/sirena/nginx/logrotate.conf'
    sleep 120 &
    wait $!
done
