import { expect, test } from 'vitest';
import { readIdentityProviders } from './settings.ts';

const application = { GITHUB_CLIENT_ID: 'id', GITHUB_CLIENT_SECRET: 'a-secret-of-an-application' };

test('without an application, no provider is offered', () => {
  expect(readIdentityProviders({ GITHUB_URL: 'https://git.example.org' })).toEqual({});
});

test('one with an application is, at the real address unless another is given', () => {
  expect(readIdentityProviders(application)).toEqual({
    github: {
      clientId: 'id',
      clientSecret: 'a-secret-of-an-application',
      url: 'https://github.com',
      apiUrl: 'https://api.github.com',
    },
  });
  const own = { GITLAB_CLIENT_ID: 'id', GITLAB_CLIENT_SECRET: 's', GITLAB_ISSUER: 'https://git.example.org/' };
  expect(readIdentityProviders(own).gitlab?.issuer).toBe('https://git.example.org');
});

test.each([
  [{ GITHUB_CLIENT_ID: 'id' }, 'GITHUB_CLIENT_SECRET'],
  [{ GOOGLE_CLIENT_SECRET: 'a-secret-of-an-application' }, 'GOOGLE_CLIENT_ID'],
  [{ ...application, GITHUB_API_URL: 'api.github.com' }, 'GITHUB_API_URL'],
])('%o is refused by name, without showing a secret', (wrong, name) => {
  expect(() => readIdentityProviders(wrong)).toThrow(name);
  expect(() => readIdentityProviders(wrong)).not.toThrow('a-secret-of-an-application');
});
