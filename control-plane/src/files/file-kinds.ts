import { z } from 'zod';
import type { Permission } from '../http/permissions.ts';

/** A content type we store, as told by the first bytes. */
export type StoredType =
  | 'image/png'
  | 'image/jpeg'
  | 'image/webp'
  | 'text/csv'
  | 'application/json'
  | 'application/zip'
  | 'application/pdf'
  | 'application/xml';

export const FileKind = z.enum(['logo', 'export', 'invoice']);
export type FileKind = z.output<typeof FileKind>;

export type KindRule = {
  readonly types: readonly StoredType[];
  readonly maxBytes: number;
  /** Shown by browsers where it is; all others are saved. */
  readonly inline: boolean;
  readonly read: Permission;
  /** Undefined: nobody may remove it. */
  readonly remove: Permission | undefined;
};

const MEBIBYTE = 1024 * 1024;

/** Logos are uploaded; exports and invoices are made by us. An SVG may hold scripts, so it is no logo. */
export const FILE_KINDS: Record<FileKind, KindRule> = {
  logo: {
    types: ['image/png', 'image/jpeg', 'image/webp'],
    maxBytes: MEBIBYTE,
    inline: true,
    read: 'files.read',
    remove: 'files.write',
  },
  export: {
    types: ['text/csv', 'application/json', 'application/zip'],
    maxBytes: 32 * MEBIBYTE,
    inline: false,
    read: 'usage.read',
    remove: 'files.write',
  },
  // The law has them kept for years.
  invoice: {
    types: ['application/pdf', 'application/xml'],
    maxBytes: 8 * MEBIBYTE,
    inline: false,
    read: 'billing.read',
    remove: undefined,
  },
};

/** Bytes that all files of a tenant may have together; equal ones count once. */
export const MAX_TENANT_BYTES = 512 * MEBIBYTE;
/** Files a tenant may have of each kind that is uploaded. */
export const MAX_UPLOADED_FILES = 20;

export const FileName = z
  .string()
  .regex(
    /^[a-z0-9][a-z0-9._-]{0,99}$/,
    'must be 1 to 100 of a-z, 0-9, ".", "_" and "-", and begin with a letter or digit',
  );
