/** Where bytes lie. An address is made by `contentAddress` alone. */
export type FileDriver = {
  /** Stores bytes for good before it returns. The same address always has the same bytes. */
  readonly put: (address: string, content: Buffer) => Promise<unknown>;
  /** The bytes; undefined: there are none at this address. */
  readonly get: (address: string) => Promise<Buffer | undefined>;
  /** Removes them; that there are none is no error. */
  readonly remove: (address: string) => Promise<unknown>;
};

/** The tenant's own prefix, and the content's hash: nothing in it comes from outside. */
export function contentAddress(tenantId: bigint, sha256: Buffer): string {
  const hash = sha256.toString('hex');
  return `tenants/${tenantId}/${hash.slice(0, 2)}/${hash}`;
}
