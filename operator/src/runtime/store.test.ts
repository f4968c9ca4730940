import { describe, expect, it } from 'vitest';
import type { KubeObject } from './cluster.ts';
import { byLabel, type Change, objectKey, Store } from './store.ts';

function pod(name: string, uid: string, resourceVersion: string, labels: Record<string, string> = {}): KubeObject {
  return { apiVersion: 'v1', kind: 'Pod', metadata: { namespace: 'home', name, uid, resourceVersion, labels } };
}

const told = (changes: Change[]) => changes.map(({ type, object }) => `${type} ${object.metadata.uid}`);
const names = (objects: Iterable<KubeObject>) => [...objects].map(({ metadata }) => metadata.name).sort();

describe('the store', () => {
  it('tells added, updated with the state before, and deleted', () => {
    const store = new Store();
    expect(told(store.put(pod('a', 'u1', '1')))).toEqual(['added u1']);
    const [update] = store.put(pod('a', 'u1', '2'));
    expect(update).toMatchObject({ type: 'updated', before: { metadata: { resourceVersion: '1' } } });
    expect(told(store.remove('home/a'))).toEqual(['deleted u1']);
    expect(store.size).toBe(0);
  });

  it('says nothing of a version it has', () => {
    const store = new Store();
    store.put(pod('a', 'u1', '1'));
    expect(store.put(pod('a', 'u1', '1'))).toEqual([]);
  });

  it('tells a recreation under the same name as deleted, then added', () => {
    const store = new Store();
    store.put(pod('a', 'u1', '1'));
    expect(told(store.put(pod('a', 'u2', '5')))).toEqual(['deleted u1', 'added u2']);
  });

  it('tells a recreation found by a new list as deleted, then added', () => {
    const store = new Store();
    store.replace([pod('a', 'u1', '1'), pod('b', 'u3', '1'), pod('c', 'u4', '2')]);
    expect(told(store.replace([pod('a', 'u2', '5'), pod('c', 'u4', '2')]))).toEqual([
      'deleted u3',
      'deleted u1',
      'added u2',
    ]);
    expect(names(store.values())).toEqual(['a', 'c']);
  });

  it('does not let the late deletion of a former object take its successor along', () => {
    const store = new Store();
    store.put(pod('a', 'u2', '5'));
    expect(store.remove('home/a', pod('a', 'u1', '4'))).toEqual([]);
    expect(store.get('home/a')?.metadata.uid).toBe('u2');
  });

  it('finds objects by every declared index and follows their changes', () => {
    const store = new Store({ tenant: byLabel('tenant'), even: ({ metadata }) => [`${Number(metadata.uid) % 2}`] });
    store.put(pod('a', '1', '1', { tenant: 'acme' }));
    store.put(pod('b', '2', '1', { tenant: 'acme' }));
    store.put(pod('c', '3', '1'));
    expect(names(store.lookup('tenant', 'acme'))).toEqual(['a', 'b']);
    expect(names(store.lookup('even', '1'))).toEqual(['a', 'c']);
    store.put(pod('a', '1', '2', { tenant: 'globex' }));
    store.remove('home/b');
    expect(names(store.lookup('tenant', 'acme'))).toEqual([]);
    expect(names(store.lookup('tenant', 'globex'))).toEqual(['a']);
    expect(() => [...store.lookup('colour', 'red')]).toThrow('declared: tenant, even');
  });

  it('takes 200,000 objects and finds one of them without walking over the others', () => {
    const store = new Store({ tenant: byLabel('tenant') });
    const many = Array.from({ length: 200_000 }, (_, n) => pod(`p${n}`, `u${n}`, '1', { tenant: `t${n % 50_000}` }));
    expect(store.replace(many)).toHaveLength(200_000);
    const began = performance.now();
    for (let n = 0; n < 10_000; n++) expect(store.lookup('tenant', `t${n}`).next().done).toBe(false);
    // 10,000 walks over 200,000 objects would take minutes.
    expect(performance.now() - began).toBeLessThan(2_000);
  });

  it('names objects with and without a namespace', () => {
    expect(objectKey({ namespace: 'home', name: 'a' })).toBe('home/a');
    expect(objectKey({ name: 'a' })).toBe('a');
  });
});
