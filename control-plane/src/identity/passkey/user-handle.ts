const UUID = /^([0-9a-f]{8})([0-9a-f]{4})([0-9a-f]{4})([0-9a-f]{4})([0-9a-f]{12})$/;

/** What an authenticator keeps to tell whose passkey it is: the 16 bytes of the person's id, no address or name. */
export function userHandleOf(personId: string): Uint8Array<ArrayBuffer> {
  return Uint8Array.from(Buffer.from(personId.replaceAll('-', ''), 'hex'));
}

/** The person's id in a user handle; undefined when it is none of ours. */
export function personIdOf(userHandle: string): string | undefined {
  const parts = UUID.exec(Buffer.from(userHandle, 'base64url').toString('hex'));
  return parts?.slice(1).join('-');
}
