import { expect, test } from 'vitest';
import { EventParser, type RawEvent } from './event-parser.ts';

const STREAM =
  ': hello\r\nretry: 1500\n\nid: 1\nevent: budget.changed\ndata: {"a":\ndata: 1}\n\n' +
  'id:2\rdata\r\rdata: three\nid\n\nevent: lost\n\ndata: cut off';

const EVENTS: RawEvent[] = [
  { id: '1', type: 'budget.changed', data: '{"a":\n1}' },
  { id: '2', type: 'message', data: '' },
  { id: '', type: 'message', data: 'three' },
];

test.each([1, 2, 3, 7, STREAM.length])('a stream in pieces of %d characters gives the same events', (size) => {
  const parser = new EventParser();
  const events: RawEvent[] = [];
  for (let at = 0; at < STREAM.length; at += size) events.push(...parser.push(STREAM.slice(at, at + size)));
  expect(events).toEqual(EVENTS);
  expect(parser.retryMs).toBe(1500);
});
