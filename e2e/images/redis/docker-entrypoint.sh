#!/bin/sh
# The entry of docker.io/library/redis: options or a configuration file alone mean redis-server.
set -eu
case ${1:-} in
  -* | *.conf) set -- redis-server "$@" ;;
esac
# that image is built with protected mode off, since its network is the pod's; Debian's is built with it on
if [ "${1:-}" = redis-server ]; then
  case " $* " in
    *' --protected-mode '* | *.conf' '*) ;;
    *) set -- "$@" --protected-mode no ;;
  esac
fi
exec "$@"
