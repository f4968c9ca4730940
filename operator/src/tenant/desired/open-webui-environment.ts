import { component, objectName, port } from '../names.ts';
import type { ModelRoute } from '../routing.ts';
import type { Wish } from '../wish.ts';
import { plain, secret } from './pod.ts';

/** How long a sign-in lasts: roles are looked at again only at the next one. */
const SESSION = '8h';
/** Connections of one pod to the database, and how many more under load. */
const POOL = { size: '5', overflow: '5' } as const;
/** What the button to the provider says, where one is shown. */
const SIGN_ON_NAME = 'CloudFreedom';
/** Languages as Open WebUI names them. */
const LOCALES = { de: 'de-DE', en: 'en-US' } as const;

/**
 * Open WebUI's whole configuration. It is the environment alone: what is changed in its own settings page is not kept, so
 * every pod of every tenant is exactly what its Tenant says.
 */
export function environment(wish: Wish, databaseSecret: string): object[] {
  return [
    ...process(wish),
    ...data(wish, databaseSecret),
    ...models(wish),
    ...people(),
    ...signOn(wish),
    ...appearance(wish),
    ...switchedOff,
  ];
}

function process({ hosts }: Wish): object[] {
  return [
    plain('ENV', 'prod'),
    plain('HOME', '/tmp'),
    plain('PORT', String(port.openWebUi)),
    plain('USE_SLIM_DOCKER', 'true'),
    plain('DATA_DIR', '/app/backend/data'),
    plain('STATIC_DIR', '/app/backend/static-files'),
    plain('ENABLE_PERSISTENT_CONFIG', 'false'),
    plain('WEBUI_URL', `https://${hosts[0]}`),
    plain('CORS_ALLOW_ORIGIN', hosts.map((host) => `https://${host}`).join(';')),
    plain('LOG_FORMAT', 'json'),
    // below warnings it logs every request and every account by its e-mail address
    plain('GLOBAL_LOG_LEVEL', 'WARNING'),
    secret('WEBUI_SECRET_KEY', component.openWebUi),
  ];
}

function data({ tenant }: Wish, databaseSecret: string): object[] {
  return [
    secret('DATABASE_URL', databaseSecret),
    plain('DATABASE_POOL_SIZE', POOL.size),
    plain('DATABASE_POOL_MAX_OVERFLOW', POOL.overflow),
    secret('REDIS_URL', component.redis),
    secret('WEBSOCKET_REDIS_URL', component.redis, 'REDIS_URL'),
    plain('REDIS_KEY_PREFIX', `open-webui-${tenant.name}`),
    plain('ENABLE_WEBSOCKET_SUPPORT', 'true'),
    plain('WEBSOCKET_MANAGER', 'redis'),
  ];
}

function models({ routes }: Wish): object[] {
  const cheapest = cheapestChat(routes, 'mini');
  const first = cheapest ?? cheapestChat(routes, 'full') ?? cheapestChat(routes, 'custom');
  return [
    plain('OPENAI_API_BASE_URLS', `http://${component.liteLlm}:${port.liteLlm}/v1`),
    secret('OPENAI_API_KEYS', objectName.gatewayCredentials, 'CHAT_KEY'),
    plain(
      'OPENAI_API_CONFIGS',
      JSON.stringify({
        0: {
          enable: true,
          headers: {
            'X-OWUI-Task': '{{TASK}}',
            'X-OWUI-Message-Id': '{{MESSAGE_ID}}',
            'X-OWUI-Groups': '{{USER_GROUPS}}',
          },
        },
      }),
    ),
    plain('ENABLE_FORWARD_USER_INFO_HEADERS', 'true'),
    // an address nobody listens on: without one, Open WebUI looks for Ollama on several
    plain('ENABLE_OLLAMA_API', 'false'),
    plain('OLLAMA_BASE_URLS', 'http://127.0.0.1:9'),
    // who may use which model is decided by the gateway, not by the chat
    plain('BYPASS_MODEL_ACCESS_CONTROL', 'true'),
    ...(first ? [plain('DEFAULT_MODELS', first.name)] : []),
    // usage: without it a stream reports no tokens; tools: their descriptions would cost more than most questions
    plain('DEFAULT_MODEL_METADATA', JSON.stringify({ capabilities: { builtin_tools: false, usage: true } })),
    // titles are worth a call only where a cheap model can write them
    plain('ENABLE_TITLE_GENERATION', String(cheapest !== undefined)),
    ...(cheapest ? [plain('TASK_MODEL_EXTERNAL', cheapest.name)] : []),
  ];
}

/**
 * People sign in at the portal and come through at once. The form stays reachable for the bootstrap account alone, at
 * /auth?form=1: Open WebUI sends people on only where it shows no form by itself.
 */
function people(): object[] {
  return [
    secret('WEBUI_ADMIN_EMAIL', component.openWebUi),
    secret('WEBUI_ADMIN_PASSWORD', component.openWebUi),
    plain('WEBUI_ADMIN_NAME', 'Administrator'),
    plain('ENABLE_LOGIN_FORM', 'false'),
    plain('ENABLE_PASSWORD_AUTH', 'true'),
    plain('ENABLE_SIGNUP', 'false'),
    // whoever the provider says nothing of waits outside
    plain('DEFAULT_USER_ROLE', 'pending'),
    plain('JWT_EXPIRES_IN', SESSION),
    plain('WEBUI_SESSION_COOKIE_SECURE', 'true'),
    plain('WEBUI_AUTH_COOKIE_SECURE', 'true'),
    plain('ENABLE_ADMIN_CHAT_ACCESS', 'false'),
    plain('ENABLE_ADMIN_EXPORT', 'false'),
  ];
}

/** The platform's OpenID provider. It lets members in alone and always states their roles. */
function signOn({ tenant, hosts, settings }: Wish): object[] {
  return [
    plain('OAUTH_CLIENT_ID', `tenant-${tenant.name}`),
    secret('OAUTH_CLIENT_SECRET', objectName.oidcClient),
    // this variant names endpoints inside the cluster: no pod needs the ingress or its certificate authority
    plain('OPENID_PROVIDER_URL', `${settings.gatewayControlPlaneUrl}/oidc/cluster/.well-known/openid-configuration`),
    // with several hosts each comes back to itself: the state of a sign-in is in a cookie of the host it began at
    ...(hosts.length === 1 ? [plain('OPENID_REDIRECT_URI', `https://${hosts[0]}/oauth/oidc/callback`)] : []),
    plain('OAUTH_PROVIDER_NAME', SIGN_ON_NAME),
    plain('OAUTH_CODE_CHALLENGE_METHOD', 'S256'),
    plain('OAUTH_AUTO_REDIRECT', 'true'),
    plain('ENABLE_OAUTH_SIGNUP', 'true'),
    // safe because the provider only lets in whose address is confirmed
    plain('OAUTH_MERGE_ACCOUNTS_BY_EMAIL', 'true'),
    plain('OAUTH_UPDATE_NAME_ON_LOGIN', 'true'),
    plain('OAUTH_UPDATE_EMAIL_ON_LOGIN', 'true'),
    plain('ENABLE_OAUTH_ROLE_MANAGEMENT', 'true'),
    plain('OAUTH_ROLES_CLAIM', 'roles'),
    plain('OAUTH_ALLOWED_ROLES', 'user'),
    // its admins could read the tenant's keys: nobody comes in as one
    plain('OAUTH_ADMIN_ROLES', 'no-one'),
    plain('ENABLE_OAUTH_BACKCHANNEL_LOGOUT', 'true'),
    plain('WEBUI_AUTH_SIGNOUT_REDIRECT_URL', `${settings.portalUrl}/`),
  ];
}

function appearance({ spec }: Wish): object[] {
  const banner = {
    id: 'tenant',
    type: 'info',
    title: '',
    content: spec.branding.bannerText,
    dismissible: true,
    timestamp: 0,
  };
  return [
    plain('WEBUI_NAME', spec.branding.title ?? spec.displayName),
    plain('DEFAULT_LOCALE', LOCALES[spec.language]),
    plain('DEFAULT_INTERFACE_SETTINGS', JSON.stringify({ showChangelog: false, showUpdateToast: false })),
    ...(spec.branding.bannerText === undefined ? [] : [plain('WEBUI_BANNERS', JSON.stringify([banner]))]),
  ];
}

/** What would call out, cost money unasked, run code, or let one tenant's admin past the gateway. */
const switchedOff = [
  ...[
    'ENABLE_TAGS_GENERATION',
    'ENABLE_FOLLOW_UP_GENERATION',
    'ENABLE_AUTOCOMPLETE_GENERATION',
    'ENABLE_SEARCH_QUERY_GENERATION',
    'ENABLE_RETRIEVAL_QUERY_GENERATION',
    'ENABLE_AUTOMATIONS',
    'ENABLE_EVALUATION_ARENA_MODELS',
    'ENABLE_COMMUNITY_SHARING',
    'ENABLE_VERSION_UPDATE_CHECK',
    'ENABLE_PLUGINS',
    'ENABLE_PIP_INSTALL_FRONTMATTER_REQUIREMENTS',
    'ENABLE_CODE_EXECUTION',
    'ENABLE_CODE_INTERPRETER',
    'ENABLE_DIRECT_CONNECTIONS',
    'ENABLE_API_KEYS',
    'ENABLE_AUDIT_LOGS_FILE',
    'USER_PERMISSIONS_CHAT_FILE_UPLOAD',
    'ANONYMIZED_TELEMETRY',
  ].map((name) => plain(name, 'false')),
  ...['OFFLINE_MODE', 'SCARF_NO_ANALYTICS', 'DO_NOT_TRACK', 'BYPASS_EMBEDDING_AND_RETRIEVAL'].map((name) =>
    plain(name, 'true'),
  ),
  // any engine but the built-in one, which would load models from the internet
  plain('RAG_EMBEDDING_ENGINE', 'openai'),
  plain('AUDIO_STT_ENGINE', 'openai'),
];

function cheapestChat(routes: readonly ModelRoute[], wishedClass: ModelRoute['spec']['class']): ModelRoute | undefined {
  const price = ({ spec: { prices, free } }: ModelRoute) => {
    if (free) return 0;
    // one that the platform prices is not known here to be cheap
    if (prices === undefined) return Number.MAX_VALUE;
    return Number(prices.inputUsdPerMillion) + Number(prices.outputUsdPerMillion);
  };
  return routes
    .filter(({ spec }) => spec.mode === 'chat' && spec.class === wishedClass && spec.replacedBy === undefined)
    .concat(
      routes.filter(({ spec }) => spec.mode === 'chat' && spec.class === wishedClass && spec.replacedBy !== undefined),
    )
    .reduce<ModelRoute | undefined>((best, route) => (best && price(best) <= price(route) ? best : route), undefined);
}
