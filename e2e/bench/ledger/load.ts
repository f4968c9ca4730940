import { closeSync, fdatasyncSync, mkdtempSync, openSync, rmSync, writeSync } from 'node:fs';
import { loadavg, tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout } from 'node:timers/promises';
import type { BenchTenant, LedgerRig } from './rig.ts';
import { USERS_PER_TENANT } from './rig.ts';

/** Requests under way at once when as many as possible are wanted. */
const CLOSED_LOOP = 256;
const PAGE_BYTES = 8192;
const SYNCS = 200;

const pick = <Item>(items: readonly Item[]): Item => items[Math.floor(Math.random() * items.length)] as Item;
const anyUser = () => Math.floor(Math.random() * USERS_PER_TENANT);

export type Offered = { readonly authoriseP50Ms: number; readonly authoriseP99Ms: number };

/** Requests that arrive when they arrive, whether or not earlier ones are done: what a service is really offered. */
export async function offered(rig: LedgerRig, perSecond: number, seconds: number): Promise<Offered> {
  const took: number[] = [];
  const underWay: Promise<unknown>[] = [];
  const began = performance.now();
  const total = perSecond * seconds;
  for (let sent = 0; sent < total; ) {
    // Those that are due by now, each timed from when it was sent.
    const due = Math.min(total, Math.floor(((performance.now() - began) / 1000) * perSecond));
    for (; sent < due; sent++) underWay.push(rig.pair(pick(rig.tenants), anyUser()).then((ms) => took.push(ms)));
    // Not a spin: the generator shares the cores with what it measures.
    await setTimeout(1);
  }
  await Promise.all(underWay);
  return { authoriseP50Ms: round(quantile(took, 0.5)), authoriseP99Ms: round(quantile(took, 0.99)) };
}

/** As many as it takes: authorise and settle, again and again. @returns pairs per second */
export async function asManyAsPossible(
  rig: LedgerRig,
  tenants: readonly BenchTenant[],
  seconds: number,
): Promise<number> {
  const began = performance.now();
  const end = began + seconds * 1000;
  let pairs = 0;
  const caller = async () => {
    while (performance.now() < end) {
      await rig.pair(pick(tenants), anyUser());
      pairs++;
    }
  };
  await Promise.all(Array.from({ length: CLOSED_LOOP }, caller));
  return Math.round(pairs / ((performance.now() - began) / 1000));
}

/** Milliseconds that the disk takes to make one page durable: no commit is faster. */
export function fdatasyncMs(): number {
  const folder = mkdtempSync(path.join(tmpdir(), 'cloudfreedom-disk-'));
  const file = openSync(path.join(folder, 'page'), 'w');
  const page = Buffer.alloc(PAGE_BYTES);
  const took = Array.from({ length: SYNCS }, (_, index) => {
    const began = performance.now();
    writeSync(file, page, 0, PAGE_BYTES, index * PAGE_BYTES);
    fdatasyncSync(file);
    return performance.now() - began;
  });
  closeSync(file);
  rmSync(folder, { recursive: true });
  return round(quantile(took, 0.5));
}

export function quantile(values: readonly number[], share: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN;
}

export function round(value: number): number {
  return Math.round(value * 100) / 100;
}

export function load(): number {
  return round(loadavg()[0] ?? Number.NaN);
}
