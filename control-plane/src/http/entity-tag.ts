import { createHash } from 'node:crypto';

/** Characters of a tag's hash: 27 of base64url are 162 bits, so two representations never share one. */
const TAG_LENGTH = 27;
/** Tags that one header may list. */
const MAX_TAGS = 20;

const TAG = /^\s*(W\/)?("[\x21\x23-\x7e]*")\s*$/;

/** The strong tag of a representation (RFC 9110, 8.8.3): equal bytes, equal tag, on every replica. */
export function entityTag(text: string | Buffer): string {
  return `"${createHash('sha256').update(text).digest('base64url').slice(0, TAG_LENGTH)}"`;
}

/** Whether If-None-Match names this representation: then the caller has it already. Weak tags count as strong ones. */
export function isKnown(ifNoneMatch: string, tag: string): boolean {
  return ifNoneMatch.trim() === '*' || tagsIn(ifNoneMatch).some((given) => given.tag === tag);
}

/** Whether If-Match names this representation. A weak tag never does. */
export function isSame(ifMatch: string, tag: string): boolean {
  return ifMatch.trim() === '*' || tagsIn(ifMatch).some((given) => !given.weak && given.tag === tag);
}

function tagsIn(header: string): { tag: string; weak: boolean }[] {
  return header
    .split(',')
    .slice(0, MAX_TAGS)
    .flatMap((text) => {
      const [, weak, tag] = TAG.exec(text) ?? [];
      return tag === undefined ? [] : [{ tag, weak: weak !== undefined }];
    });
}
