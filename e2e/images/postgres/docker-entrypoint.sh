#!/usr/bin/env bash
# The entry of docker.io/library/postgres, as far as a container that is never root needs it: makes the database from
# POSTGRES_USER, POSTGRES_PASSWORD, POSTGRES_DB (each also with _FILE), POSTGRES_INITDB_ARGS and
# POSTGRES_HOST_AUTH_METHOD when the volume holds none, runs /docker-entrypoint-initdb.d, then becomes Postgres.
set -Eeuo pipefail

refuse() { echo "docker-entrypoint: $*" >&2; exit 1; }

# The value of variable $1, or of the file that ${1}_FILE names, or $2.
from_environment() {
  local file=${1}_FILE
  [ -z "${!1:-}" ] || [ -z "${!file:-}" ] || refuse "$1 and $file are both set; keep one"
  if [ -n "${!file:-}" ]; then cat "${!file}"; else echo "${!1:-${2:-}}"; fi
}

# Runs SQL in database $1 of the server that listens on the private socket only.
sql() { psql --set ON_ERROR_STOP=1 --no-psqlrc --quiet --host "$private" --username "$user" --no-password --dbname "$@"; }

initialise() {
  local target=$1 initdb_args=()
  [ -n "$password" ] || [ "${POSTGRES_HOST_AUTH_METHOD:-}" = trust ] \
    || refuse "POSTGRES_PASSWORD (or POSTGRES_PASSWORD_FILE) is not set and the volume holds no database yet"
  read -ra initdb_args <<< "${POSTGRES_INITDB_ARGS:-}"
  # nothing is forced to disk on the way: all of it is, once, at the end
  initdb --pgdata "$target" --username "$user" --pwfile <(printf '%s\n' "$password") \
    --auth-local trust --auth-host scram-sha-256 --no-sync "${initdb_args[@]}"
  printf '\nhost all all all %s\n' "${POSTGRES_HOST_AUTH_METHOD:-scram-sha-256}" >> "$target/pg_hba.conf"

  pg_ctl --pgdata "$target" \
    --options "-c fsync=off -c listen_addresses='' -c unix_socket_directories='$private'" --wait --silent start
  if [ "$database" != postgres ]; then
    sql postgres --set database="$database" <<< 'create database :"database"'
  fi
  local script
  for script in /docker-entrypoint-initdb.d/*; do
    case $script in
      *.sh) if [ -x "$script" ]; then "$script"; else . "$script"; fi ;;
      *.sql) sql "$database" --file "$script" ;;
      *.sql.gz) gunzip --stdout "$script" | sql "$database" ;;
      */\*) ;;
      *) echo "docker-entrypoint: leaving out $script" ;;
    esac
  done
  pg_ctl --pgdata "$target" --mode fast --wait --silent stop
  initdb --sync-only --pgdata "$target"
}

[ "${1:0:1}" != - ] || set -- postgres "$@"
[ "$1" = postgres ] || exec "$@"

user=$(from_environment POSTGRES_USER postgres)
password=$(from_environment POSTGRES_PASSWORD)
database=$(from_environment POSTGRES_DB "$user")

if [ ! -s "$PGDATA/PG_VERSION" ]; then
  private=$(mktemp --directory)
  # made beside its place and moved at the end: a container killed half-way leaves nothing that looks like a database
  unfinished=$PGDATA.unfinished
  if mkdir -p "$unfinished" 2>/dev/null; then
    rm -rf "$unfinished"
    initialise "$unfinished"
    rmdir "$PGDATA" 2>/dev/null || true
    [ ! -e "$PGDATA" ] || refuse "$PGDATA holds something, but no database"
    mv "$unfinished" "$PGDATA"
  else
    initialise "$PGDATA"
  fi
  rmdir "$private"
fi
unset POSTGRES_PASSWORD password
# on a read-only root without a volume for the socket, /tmp holds it
[ -w /var/run/postgresql ] || set -- "$@" -c unix_socket_directories=/tmp
exec "$@"
