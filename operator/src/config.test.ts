import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { readConfig } from './config.ts';

const folder = mkdtempSync(path.join(tmpdir(), 'cf-config-'));
writeFileSync(path.join(folder, 'hook.py'), '# the hook\n');
writeFileSync(path.join(folder, 'notes.md'), 'no part of it');
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const least = {
  BASE_DOMAIN: 'example.org',
  OPERATOR_KEY: 'a-key-of-some-length',
  IMAGE_LITELLM: 'litellm:1',
  IMAGE_OPEN_WEBUI: 'open-webui:1',
  IMAGE_POSTGRES: 'postgres:1',
  IMAGE_REDIS: 'redis:1',
  HOOK_FOLDER: folder,
};

describe("the operator's environment", () => {
  it('needs little, and finds the control plane in the platform namespace', () => {
    const { settings, controlPlane, http } = readConfig({ ...least, PLATFORM_NAMESPACE: 'cloud' });
    expect(controlPlane.url).toBe('http://control-plane.cloud.svc:8080');
    expect(settings.gatewayControlPlaneUrl).toBe(controlPlane.url);
    expect(settings).toMatchObject({ hook: { 'hook.py': '# the hook\n' }, tls: undefined, providerEgress: [] });
    expect(http.port).toBe(8081);
  });

  it('takes an empty text for unset, as a chart renders it', () => {
    const { settings } = readConfig({
      ...least,
      TLS_CA_SECRET: '',
      STORAGE_CLASS: '',
      INGRESS_CLASS: '',
      PROVIDER_EGRESS: '',
    });
    expect(settings).toMatchObject({ tls: undefined, storageClassName: undefined, providerEgress: [] });
  });

  it('reads the doors to providers', () => {
    const doors = [
      { cidr: '192.0.2.0/24', ports: [443] },
      { namespace: 'models', podLabels: { app: 'vllm' }, ports: [8000] },
    ];
    expect(readConfig({ ...least, PROVIDER_EGRESS: JSON.stringify(doors) }).settings.providerEgress).toEqual(doors);
  });

  it.each([
    ['a missing domain', { BASE_DOMAIN: undefined }, /BASE_DOMAIN/],
    ['a short key', { OPERATOR_KEY: 'short' }, /OPERATOR_KEY/],
    ['doors that are no JSON', { PROVIDER_EGRESS: '[' }, /PROVIDER_EGRESS/],
    ['a door without ports', { PROVIDER_EGRESS: '[{"cidr":"192.0.2.0/24"}]' }, /PROVIDER_EGRESS/],
    ['two sources of certificates', { TLS_CA_SECRET: 'a', TLS_CLUSTER_ISSUER: 'b' }, /TLS_CA_SECRET/],
    ['a port out of range', { HTTP_PORT: '70000' }, /HTTP_PORT/],
  ])('names %s', (_what, change, message) => {
    expect(() => readConfig({ ...least, ...change })).toThrow(message);
  });

  it('never shows a key in its error', () => {
    expect(() => readConfig({ ...least, OPERATOR_KEY: 'tooshortsecret', BASE_DOMAIN: '!' })).toThrow(
      /^(?!.*tooshortsecret)/s,
    );
  });
});
