import { setNonce } from 'get-nonce';

/** Tells the dialogs' scroll lock the nonce of this page, so that the content security policy lets its style in. */
export function allowStyles(): void {
  const nonce = document.querySelector<HTMLMetaElement>('meta[property="csp-nonce"]')?.nonce;
  if (nonce) setNonce(nonce);
}
