"""Exports and erases what a tenant's chat stores about a person, as the control plane asks for it.

Runs in the tenant's namespace, in Open WebUI's image, every few minutes: takes one request after the other with the
gateway's credential and carries it out in the chat's own database. Without a request it ends at once. Everything in
it can be repeated: whoever is killed in the middle is followed by the next run. Names, addresses and texts of people
are never logged or reported.
"""

import http.client
import json
import os
import re
import signal
import sys
import time
from urllib.parse import urlsplit

# Requests one run takes; the next run goes on.
MAX_REQUESTS = 100
# Seconds after which a run takes nothing more: the control plane gives a request to another after half an hour.
TAKING_SECONDS = 300
# Characters of one piece. The control plane counts UTF-16 units, of which a character has at most two.
PART_CHARACTERS = 10_000
# Pieces of one export, as the control plane takes them.
MAX_PARTS = 20_000
# Characters fetched at once: what this process holds, however long a single chat is.
SLICE_CHARACTERS = 500_000
# Tries of one call to the control plane, seconds between them and for each.
TRIES, PAUSE_SECONDS, CALL_SECONDS = 3, 1.0, 30
CONNECT_SECONDS = 10
STATEMENT_TIMEOUT, LOCK_TIMEOUT = "300s", "30s"
# Characters of a reason that the control plane keeps.
MAX_REASON = 500

# Passwords and tokens; they are erased with the rest, and never exported.
SECRET_TABLES = frozenset({"auth", "oauth_session", "api_key"})
SECRET_COLUMN = re.compile(r"password|passwd|token|secret|api_?key|^key$|credential|valves|^mfa$|session_stamp")
# In a person's settings: servers of their own with their keys, and what they entered for tools.
SECRET_SETTINGS = ("{ui,directConnections}", "{ui,toolServers}", "{ui,terminalServers}", "{tools}", "{functions}")
# Rows that lead to a person through another of their rows or by another column: table, condition.
RELATED = (
    ("automation_run", "automation_id in (select id from automation where user_id = any(%(ids)s))", "automation"),
    ("access_grant", "principal_type = 'user' and principal_id = any(%(ids)s)", None),
)
# What others may have put something into: it stays for them, without its maker. table: (their rows, by which column)
SHARED = {
    "channel": (("message", "channel_id"), ("channel_member", "channel_id")),
    "group": (("group_member", "group_id"),),
    "knowledge": (("knowledge_file", "knowledge_id"), ("knowledge_directory", "knowledge_id")),
    "calendar": (("calendar_event", "calendar_id"),),
}
# Whose a thing is whose maker is gone.
NOBODY = "erased"


class Refused(Exception):
    """Something is not as it has to be; the text is for whoever operates the platform."""


class ControlPlane:
    """The three calls, over one connection; all of them can be repeated."""

    def __init__(self, url, credential):
        self.url = urlsplit(url)
        self.headers = {"authorization": f"Bearer {credential}", "content-type": "application/json"}
        self.connection = None

    def call(self, method, path, body=None, answers=(200, 204)):
        for left in reversed(range(TRIES)):
            try:
                status, text = self.once(method, f"/v1/gateway/chat-data/{path}", body)
            except (OSError, http.client.HTTPException) as error:
                self.close()
                if left == 0:
                    raise Refused(f"the control plane does not answer: {type(error).__name__}") from None
            else:
                if status in answers:
                    return status, json.loads(text) if text else None
                if status < 500 or left == 0:
                    raise Refused(f"the control plane answered {method} {path.split('/')[-1]} with {status}")
            time.sleep(PAUSE_SECONDS)
        raise AssertionError("unreachable")

    def once(self, method, path, body):
        if self.connection is None:
            secure = self.url.scheme == "https"
            kind = http.client.HTTPSConnection if secure else http.client.HTTPConnection
            self.connection = kind(self.url.hostname, self.url.port, timeout=CALL_SECONDS)
        data = None if body is None else json.dumps(body, ensure_ascii=False).encode()
        self.connection.request(method, self.url.path.rstrip("/") + path, data, self.headers)
        answer = self.connection.getresponse()
        return answer.status, answer.read()

    def close(self):
        if self.connection is not None:
            self.connection.close()
            self.connection = None


class Parts:
    """Brings a text in pieces of a fixed size, so that a second try makes the same ones."""

    def __init__(self, control_plane, request):
        self.control_plane, self.request = control_plane, request
        self.waiting, self.brought = "", 0

    def write(self, text):
        self.waiting += text
        start = 0
        while len(self.waiting) - start >= PART_CHARACTERS:
            self.bring(self.waiting[start : start + PART_CHARACTERS])
            start += PART_CHARACTERS
        self.waiting = self.waiting[start:]

    def close(self):
        if self.waiting:
            self.bring(self.waiting)
            self.waiting = ""

    def bring(self, text):
        if self.brought >= MAX_PARTS:
            raise Refused(f"the chats have more than {MAX_PARTS * PART_CHARACTERS} characters")
        self.control_plane.call("PUT", f"{self.request}/parts/{self.brought}", {"text": text})
        self.brought += 1


def connect(database_url):
    import psycopg2  # most runs have nothing to do, and need no driver

    url = re.sub(r"^postgres(ql)?(\+\w+)?://", "postgresql://", database_url)
    return psycopg2.connect(url, connect_timeout=CONNECT_SECONDS, application_name="cloudfreedom-chat-data")


def begin(cursor, mode=""):
    if mode:
        cursor.execute(f"set transaction {mode}")
    cursor.execute(f"set local statement_timeout = '{STATEMENT_TIMEOUT}'")
    cursor.execute(f"set local lock_timeout = '{LOCK_TIMEOUT}'")


def quoted(name):
    return '"' + name.replace('"', '""').replace("%", "%%") + '"'


def tables_of(cursor):
    """Every table of the chat with its columns, in their order. Open WebUI's releases add some: none is named here."""
    cursor.execute(
        """select c.table_name, array_agg(c.column_name::text order by c.ordinal_position)
           from information_schema.columns c join information_schema.tables t using (table_schema, table_name)
           where c.table_schema = current_schema() and t.table_type = 'BASE TABLE' group by c.table_name
           order by c.table_name"""
    )
    return dict(cursor.fetchall())


def accounts_of(cursor, tables, request, bootstrap):
    """The ids of a person's accounts in the chat, those that are gone already included; never the bootstrap account's.

    An address counts only where the account is not signed in to by somebody else: addresses pass on to others.
    """
    if "user" not in tables:
        return []
    subject = "oauth::jsonb -> 'oidc' ->> 'sub'" if "oauth" in tables["user"] else "null::text"
    cursor.execute(
        f"""select id, lower(email) = lower(%(bootstrap)s) as bootstrap from "user"
            where id = any(%(ids)s) or {subject} = %(person)s
              or (lower(email) = any(%(emails)s) and coalesce({subject}, %(person)s) = %(person)s)""",
        {
            "bootstrap": bootstrap,
            "ids": request["externalIds"],
            "person": request["personId"],
            "emails": [email.lower() for email in request["emails"]],
        },
    )
    found = dict(cursor.fetchall())
    return sorted(set(request["externalIds"]).union(found) - {id for id, is_bootstrap in found.items() if is_bootstrap})


def rows_of(tables):
    """Every table that knows people, with the condition for a person's rows; the accounts themselves come last."""
    for table, condition, other in RELATED:
        if table in tables and (other is None or other in tables):
            yield table, condition
    for table, columns in tables.items():
        if "user_id" in columns and table not in ("user", "auth"):
            yield table, "user_id = any(%(ids)s)"
    for table in ("auth", "user"):
        if table in tables:
            yield table, "id = any(%(ids)s)"


def selected(table, columns):
    kept = []
    for column in columns:
        if SECRET_COLUMN.search(column.lower()):
            continue
        if table == "user" and column == "settings":
            removed = "".join(f" #- '{path}'" for path in SECRET_SETTINGS)
            kept.append(f"case when json_typeof(settings::json) = 'object' then settings::jsonb{removed} end as settings")
        else:
            kept.append(quoted(column))
    return ", ".join(kept)


def export(connection, request, bootstrap, parts):
    """Writes one JSON document: the person's rows by table, as of one instant. @returns the number of rows"""
    rows = 0
    with connection.cursor() as cursor:
        begin(cursor, "isolation level repeatable read read only")
        tables = tables_of(cursor)
        ids = accounts_of(cursor, tables, request, bootstrap)
        parts.write('{"accounts":' + json.dumps(ids))
        for table, condition in rows_of(tables):
            if table in SECRET_TABLES:
                continue
            # a named cursor fetches as it goes; long rows come in slices, and `offset 0` makes each row's text once
            with connection.cursor("chat_rows") as reader:
                reader.itersize = 1
                reader.execute(
                    f"""select slice, substr(row, slice * {SLICE_CHARACTERS} + 1, {SLICE_CHARACTERS})
                        from (select row_to_json(r)::text as row from (
                          select {selected(table, tables[table])} from {quoted(table)} where {condition}) r offset 0) rows
                        cross join lateral generate_series(0, (length(row) - 1) / {SLICE_CHARACTERS}) slice""",
                    {"ids": ids},
                )
                before = rows
                for number, text in reader:
                    if number == 0:
                        parts.write("," if rows > before else f",{json.dumps(table)}:[")
                        rows += 1
                    parts.write(text)
            if rows > before:
                parts.write("]")
    connection.rollback()
    parts.write("}")
    parts.close()
    return rows


def erase(connection, request, bootstrap):
    """Deletes the person's rows in one transaction. @returns their number

    Twice: an answer that was being written when the account went may have stored a row behind the first time.
    """
    rows = 0
    with connection.cursor() as cursor:
        begin(cursor)
        tables = tables_of(cursor)
        ids = accounts_of(cursor, tables, request, bootstrap)
        for _ in range(2):
            begin(cursor)
            hand_over(cursor, tables, ids)
            for table, condition in rows_of(tables):
                cursor.execute(f"delete from {quoted(table)} where {condition}", {"ids": ids})
                rows += cursor.rowcount
            connection.commit()
    return rows


def hand_over(cursor, tables, ids):
    for table, others in SHARED.items():
        if table not in tables:
            continue
        for other, column in others:
            if other not in tables:
                continue
            cursor.execute(
                f"""update {quoted(table)} t set user_id = %(nobody)s where user_id = any(%(ids)s) and exists (
                      select from {quoted(other)} o where o.{quoted(column)} = t.id and o.user_id <> all(%(ids)s))""",
                {"ids": ids, "nobody": NOBODY},
            )


def carry_out(control_plane, request, settings):
    parts = Parts(control_plane, request["id"])
    connection = connect(settings["database_url"])
    try:
        if request["kind"] == "export":
            rows = export(connection, request, settings["bootstrap"], parts)
        else:
            rows = erase(connection, request, settings["bootstrap"])
    finally:
        connection.close()
    end = {"outcome": "done", "found": rows, "parts": parts.brought}
    # 404: an earlier try of this very call came through
    control_plane.call("POST", f"{request['id']}/end", end, answers=(204, 404))
    print(f"{request['kind']} {request['id']}: {rows} rows, {parts.brought} pieces")


def reason_of(error):
    """What went wrong, without anything of the database's contents: messages of Postgres quote rows in their details."""
    if isinstance(error, Refused):
        return str(error)
    code = getattr(error, "pgcode", None)
    primary = getattr(getattr(error, "diag", None), "message_primary", None)
    if code or primary:
        return f"the database refused with {code}: {primary}"
    if type(error).__module__.startswith("psycopg2"):
        return f"the database does not answer: {type(error).__name__}"
    return f"unexpected {type(error).__name__}"


def run(control_plane, settings):
    """@returns whether all that was taken was done"""
    started = time.monotonic()
    done = True
    for _ in range(MAX_REQUESTS):
        if time.monotonic() - started > TAKING_SECONDS:
            break
        request = control_plane.call("POST", "take")[1]["request"]
        if request is None:
            break
        try:
            carry_out(control_plane, request, settings)
        except (Exception, SystemExit) as error:
            stopped = isinstance(error, SystemExit)
            reason = "the run was stopped" if stopped else reason_of(error)
            print(f"{request['kind']} {request['id']}: {reason}", file=sys.stderr)
            # reported, it is offered again soon; not reported, it is in half an hour
            failed = {"outcome": "failed", "error": reason[:MAX_REASON]}
            control_plane.close()
            control_plane.call("POST", f"{request['id']}/end", failed, answers=(204, 404))
            if stopped:
                raise
            done = False
    return done


def stop(_signal, _frame):
    sys.exit(1)


def main(environment=os.environ):
    signal.signal(signal.SIGTERM, stop)
    control_plane = ControlPlane(environment["CLOUDFREEDOM_CONTROL_PLANE_URL"], environment["CLOUDFREEDOM_CREDENTIAL"])
    settings = {"database_url": environment["DATABASE_URL"], "bootstrap": environment["WEBUI_ADMIN_EMAIL"]}
    try:
        return 0 if run(control_plane, settings) else 1
    except Refused as refused:
        print(refused, file=sys.stderr)
        return 1


if __name__ == "__main__":
    sys.exit(main())
