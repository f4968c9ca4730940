import type pg from 'pg';

/** Prints the schema as SQL-like text in a fixed order, so that a review shows a migration's net effect. */
export async function dumpSchema(pool: pg.Pool): Promise<string> {
  const sections = await Promise.all([
    section(pool, TABLES),
    section(pool, INDEXES),
    section(pool, TRIGGERS),
    section(pool, PRIVILEGES),
    section(pool, TYPES),
    section(pool, VIEWS),
    section(pool, FUNCTIONS),
  ]);
  const head = '-- Generated from db/migrations by `node control-plane/src/database/generate-schema.ts`. Do not edit.';
  return `${[head, ...sections].join('\n\n')}\n`;
}

async function section(pool: pg.Pool, query: string): Promise<string> {
  const { rows } = await pool.query<{ text: string }>(query);
  return rows.map(({ text }) => text).join('\n\n');
}

const OURS = `relnamespace = 'public'::regnamespace and relname <> 'migration'`;

const TABLES = `
  select format(E'create table %s (\\n%s\\n)%s;', c.relname, (
      select string_agg(line, E',\\n' order by place, line) from (
        select attnum::int as place, format('  %s %s%s%s', attname, format_type(atttypid, atttypmod),
          case when attidentity <> '' then ' generated always as identity'
               else coalesce(' default ' || pg_get_expr(d.adbin, d.adrelid), '') end,
          case when attnotnull then ' not null' else '' end) as line
        from pg_attribute a left join pg_attrdef d on (d.adrelid, d.adnum) = (a.attrelid, a.attnum)
        where attrelid = c.oid and attnum > 0 and not attisdropped
        union all
        select 10000, format('  constraint %s %s', conname, pg_get_constraintdef(oid))
        from pg_constraint where conrelid = c.oid and contype <> 'n') lines),
    coalesce(' with (' || array_to_string(c.reloptions, ', ') || ')', '')) as text
  from pg_class c where relkind = 'r' and ${OURS} order by relname`;

const INDEXES = `
  select pg_get_indexdef(i.indexrelid) || ';' as text
  from pg_index i join pg_class c on c.oid = i.indexrelid
  where c.relnamespace = 'public'::regnamespace and i.indrelid <> 'migration'::regclass
    and not exists (select 1 from pg_constraint where conindid = i.indexrelid)
  order by c.relname`;

const TRIGGERS = `
  select pg_get_triggerdef(oid) || ';' as text from pg_trigger where not tgisinternal order by tgname`;

const PRIVILEGES = `
  select format('-- the owner itself may only %s %s', string_agg(lower(privilege_type), ', ' order by privilege_type), relname) as text
  from pg_class, aclexplode(relacl) where relkind = 'r' and ${OURS} and grantee = relowner
  group by relname having count(*) filter (where privilege_type in ('UPDATE', 'DELETE')) = 0 order by relname`;

const TYPES = `
  select format(E'create type %s as (\\n%s\\n);', c.relname, string_agg(
    format('  %s %s', attname, format_type(atttypid, atttypmod)), E',\\n' order by attnum)) as text
  from pg_class c join pg_attribute on attrelid = c.oid where relkind = 'c' and ${OURS} group by c.relname order by c.relname`;

const VIEWS = `
  select format(E'create view %s as\\n%s', relname, pg_get_viewdef(oid, true)) as text
  from pg_class where relkind = 'v' and ${OURS} order by relname`;

const FUNCTIONS = `
  select pg_get_functiondef(oid) || ';' as text from pg_proc
  where pronamespace = 'public'::regnamespace order by proname`;
