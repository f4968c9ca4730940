import { expect, test } from 'vitest';
import { sniff } from './sniff.ts';

const hex = (bytes: string) => Buffer.from(bytes, 'hex');

test.each([
  ['a PNG', hex('89504e470d0a1a0a0000000d49484452'), 'image/png'],
  ['a JPEG', hex('ffd8ffe000104a464946'), 'image/jpeg'],
  ['a WebP', Buffer.from('RIFF\x10\x00\x00\x00WEBPVP8 '), 'image/webp'],
  ['a PDF', Buffer.from('%PDF-1.7\n'), 'application/pdf'],
  ['a ZIP', hex('504b03041400'), 'application/zip'],
  ['XML', Buffer.from('<?xml version="1.0"?><Invoice/>'), 'application/xml'],
  ['JSON', Buffer.from('{"a": [1]}'), 'application/json'],
  ['CSV', Buffer.from('day;cost\n2026-11-30;1,00\n'), 'text/csv'],
])('%s is told by its bytes', (_name, content, type) => {
  expect(sniff(content)).toBe(type);
});

test.each([
  ['an SVG', Buffer.from('<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>')],
  ['an SVG that begins as XML', Buffer.from('<?xml version="1.0"?><svg onload="alert(1)"/>')],
  ['a page', Buffer.from('<!doctype html><script>alert(1)</script>')],
  ['a GIF', Buffer.from('GIF89a\x01\x00\x01\x00')],
  ['a RIFF that is no WebP', Buffer.from('RIFF\x10\x00\x00\x00WAVEfmt ')],
  ['broken JSON', Buffer.from('{"a": ')],
  ['a program', hex('7f454c4602010100')],
  ['text that is no UTF-8', hex('e4f6fc0a')],
])('%s is nothing we store', (_name, content) => {
  expect(sniff(content)).toBeUndefined();
});
