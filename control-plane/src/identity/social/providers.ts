import { githubProvider } from './github.ts';
import { openIdProvider } from './open-id.ts';
import type { Provider } from './provider.ts';
import type { IdentityProviderSettings, ProviderName } from './settings.ts';

/** The configured providers by name, in the order in which pages show them. */
export function openProviders(settings: IdentityProviderSettings): ReadonlyMap<ProviderName, Provider> {
  const { google, github, gitlab } = settings;
  const providers = [
    // Whose account it is gets asked, rather than taken from whoever used this browser last.
    google && openIdProvider('google', google, { prompt: 'select_account' }),
    github && githubProvider(github),
    gitlab && openIdProvider('gitlab', gitlab),
  ].filter((provider) => provider !== undefined);
  return new Map(providers.map((provider) => [provider.name, provider]));
}
