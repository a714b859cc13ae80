#!/bin/sh
# Written by Sirena. Looks once at the sizes of NGINX's logs and sleeps; the supervisor starts it again.
/usr/sbin/logrotate --state '/var/lib/sirena/nginx/logrotate.state' '/var/lib/sirena/nginx/logrotate.conf'
exec sleep 120
