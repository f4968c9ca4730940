-- Tables of Open WebUI 0.12.4 as its migrations leave them in Postgres, those that matter to whose rows are whose: with
-- every kind of reference between them, and with every place where it keeps a secret of a person's.
create schema chat;
set search_path = chat;

create table "user" (
  id varchar primary key, email varchar unique, username varchar(50), role varchar, name varchar not null,
  profile_image_url text, bio text, date_of_birth date, info json, variables json, settings json, oauth json, scim json,
  last_active_at bigint, updated_at bigint, created_at bigint);
create table auth (
  id varchar primary key, email varchar, password text, active boolean, mfa json, session_stamp text);
create table api_key (
  id text primary key, user_id text not null references "user" on delete cascade, key text unique not null, data json,
  expires_at bigint, last_used_at bigint, created_at bigint not null, updated_at bigint not null);
create table oauth_session (
  id text primary key, user_id text not null references "user" on delete cascade, provider text not null,
  token text not null, expires_at bigint not null, created_at bigint not null, updated_at bigint not null);

create table chat (
  id varchar primary key, user_id varchar, title text, chat json, created_at bigint, updated_at bigint,
  share_id text unique, archived boolean, pinned boolean, meta json default '{}', variables json, folder_id text,
  tasks json, summary text, current_message_id text, last_read_at bigint, timer_at bigint);
create table chat_message (
  id text primary key, chat_id text not null references chat on delete cascade, user_id text, role text not null,
  parent_id text, content json, output json, model_id text, files json, sources json, embeds json, meta json,
  done boolean, status_history json, error json, usage json, context_summary text, created_at bigint,
  updated_at bigint);
create table shared_chat (
  id text primary key, chat_id text not null references chat on delete cascade, user_id text not null, title text,
  chat json, created_at bigint, updated_at bigint);
create table folder (
  id text primary key, parent_id text, user_id text, name text, items json, meta json, data json, is_expanded boolean,
  created_at bigint, updated_at bigint);
create table tag (id varchar, name varchar, user_id varchar, meta json, primary key (id, user_id));
create table memory (
  id varchar primary key, user_id varchar, type varchar default 'context', path text, content text, meta json,
  updated_at bigint, created_at bigint);
create table note (
  id text primary key, user_id text, title text, data json, meta json, created_at bigint, updated_at bigint);
create table pinned_note (
  id text primary key, user_id text not null, note_id text not null references note on delete cascade,
  created_at bigint not null);
create table prompt (
  id text primary key, command varchar unique, user_id varchar, name text, content text, data json, meta json,
  tags json, is_active boolean, version_id text, created_at bigint, updated_at bigint);
create table file (
  id varchar primary key, user_id varchar, hash text, filename text, path text, data json, meta json,
  created_at bigint, updated_at bigint);
create table chat_file (
  id text primary key, user_id text not null, chat_id text not null references chat on delete cascade, message_id text,
  file_id text not null references file on delete cascade, created_at bigint not null, updated_at bigint not null);
create table feedback (
  id text primary key, user_id text, version bigint, type text, data json, meta json, snapshot json, created_at bigint,
  updated_at bigint);
create table tool (
  id varchar primary key, version_id text, user_id varchar, name text, content text, specs text, meta text,
  valves text, updated_at bigint not null, created_at bigint);

create table channel (
  id text primary key, user_id text, type text, name text, description text, is_private boolean, data json, meta json,
  created_at bigint, updated_at bigint, updated_by text, archived_at bigint, archived_by text, deleted_at bigint,
  deleted_by text);
create table channel_webhook (
  id text primary key, channel_id text not null references channel on delete cascade, user_id text not null,
  name text not null, profile_image_url text,
  token text not null, last_used_at bigint, created_at bigint not null, updated_at bigint not null);
create table message (
  id text primary key, user_id text, app_id text, channel_id text, reply_to_id text, parent_id text,
  is_pinned boolean not null default false, pinned_at bigint, pinned_by text, content text, data json, meta json,
  created_at bigint, updated_at bigint);
create table "group" (
  id text primary key, parent_group_id text references "group" on delete set null, user_id text, name text, description text, data json,
  meta json, permissions json, created_at bigint, updated_at bigint);
create table group_member (
  id text primary key, group_id text not null references "group" on delete cascade,
  user_id text not null references "user" on delete cascade, created_at bigint, updated_at bigint);
create table access_grant (
  id text primary key, resource_type text not null, resource_id text not null, principal_type text not null,
  principal_id text not null, permission text not null, created_at bigint not null);
create table automation (
  id text primary key, user_id text not null, folder_id text, name text not null, data json not null, meta json,
  is_active boolean not null default true, last_run_at bigint, next_run_at bigint, created_at bigint not null,
  updated_at bigint not null);
create table automation_run (
  id text primary key, automation_id text not null, chat_id text, status text not null, error text,
  created_at bigint not null);
create table config (key text primary key, value json not null, updated_at bigint);
