import { z } from 'zod';
import { DnsLabel } from '../../catalogue/registrations.ts';
import { FileKind, FileName } from '../../files/file-kinds.ts';
import type { FileRecord } from '../../files/files.ts';
import { problem } from '../../http/problem.ts';
import type { Answer } from '../../http/route.ts';

export const FileParams = z.strictObject({ tenant: DnsLabel, kind: FileKind, name: FileName });

export const FileView = z
  .object({
    kind: FileKind,
    name: z.string(),
    contentType: z.string(),
    bytes: z.int(),
    sha256: z.string().meta({ description: 'Of its content, in hexadecimal digits' }),
    personId: z.uuid().nullable().meta({ description: 'Who uploaded it; null: made by the platform' }),
    createdAt: z.iso.datetime(),
    expiresAt: z.iso.datetime().nullable().meta({ description: 'When it goes by itself' }),
  })
  .meta({ id: 'File' });

export function fileView(file: FileRecord): z.input<typeof FileView> {
  return {
    kind: file.kind,
    name: file.name,
    contentType: file.contentType,
    bytes: Number(file.size),
    sha256: file.sha256.toString('hex'),
    personId: file.personId,
    createdAt: file.createdAt.toISOString(),
    expiresAt: file.expiresAt?.toISOString() ?? null,
  };
}

export function fileUnknown(): Answer {
  return { status: 404, body: problem(404, 'file_unknown', 'this tenant has no file of this kind and name') };
}

/** The refusal of a kind of files that a caller may not see or touch. */
export function kindNotPermitted(kind: FileKind, permission: string): Answer {
  const detail = `files of the kind "${kind}" need the permission ${permission}`;
  return { status: 403, body: problem(403, 'not_permitted', detail) };
}
