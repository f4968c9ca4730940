import type { QueryClient } from '@tanstack/react-query';
import {
  createRootRouteWithContext,
  createRoute,
  createRouter,
  lazyRouteComponent,
  redirect,
} from '@tanstack/react-router';
import { accountQuery } from './api/account.ts';
import { isSignedOut } from './api/queries.ts';
import { Spinner } from './components/ui/spinner.tsx';
import { EntryLayout } from './layout/entry-layout.tsx';
import { ownPath } from './layout/own-path.ts';
import { RootLayout } from './layout/root-layout.tsx';
import { type WayOn, wayOnSearch } from './layout/way-on.ts';
import { NotFoundPage } from './pages/not-found.tsx';
import { WentWrongPage } from './pages/went-wrong.tsx';

const root = createRootRouteWithContext<{ queryClient: QueryClient }>()({ component: RootLayout });

/** Where to go once signed in; only ever a page of ours. */
const wayOn = (search: Record<string, unknown>): WayOn => wayOnSearch(ownPath(search.return_to));

const entry = createRoute({ getParentRoute: () => root, id: 'entry', component: EntryLayout });
const entryPages = [
  createRoute({
    getParentRoute: () => entry,
    path: '/register',
    validateSearch: wayOn,
    component: lazyRouteComponent(() => import('./pages/register.tsx'), 'RegisterPage'),
  }),
  createRoute({
    getParentRoute: () => entry,
    path: '/confirm',
    component: lazyRouteComponent(() => import('./pages/confirm.tsx'), 'ConfirmPage'),
  }),
  createRoute({
    getParentRoute: () => entry,
    path: '/sign-in',
    validateSearch: wayOn,
    component: lazyRouteComponent(() => import('./pages/sign-in.tsx'), 'SignInPage'),
  }),
  createRoute({
    getParentRoute: () => entry,
    path: '/second-factor',
    validateSearch: wayOn,
    component: lazyRouteComponent(() => import('./pages/second-factor.tsx'), 'SecondFactorPage'),
  }),
  createRoute({
    getParentRoute: () => entry,
    path: '/forgot',
    component: lazyRouteComponent(() => import('./pages/forgot.tsx'), 'ForgotPage'),
  }),
  createRoute({
    getParentRoute: () => entry,
    path: '/reset',
    component: lazyRouteComponent(() => import('./pages/reset.tsx'), 'ResetPage'),
  }),
  createRoute({
    getParentRoute: () => entry,
    path: '/change-address',
    component: lazyRouteComponent(() => import('./pages/change-address.tsx'), 'ChangeAddressPage'),
  }),
  createRoute({
    getParentRoute: () => entry,
    path: '/invitation',
    component: lazyRouteComponent(() => import('./pages/invitation.tsx'), 'InvitationPage'),
  }),
  createRoute({
    getParentRoute: () => entry,
    path: '/erased',
    component: lazyRouteComponent(() => import('./pages/erased.tsx'), 'ErasedPage'),
  }),
  createRoute({
    getParentRoute: () => entry,
    path: '/top-up',
    component: lazyRouteComponent(() => import('./pages/top-up.tsx'), 'TopUpPage'),
  }),
] as const;

const app = createRoute({
  getParentRoute: () => root,
  id: 'app',
  component: lazyRouteComponent(() => import('./layout/app-layout.tsx'), 'AppLayout'),
  beforeLoad: async ({ context, location }) => {
    try {
      await context.queryClient.ensureQueryData(accountQuery);
    } catch (error) {
      if (isSignedOut(error)) throw redirect({ to: '/sign-in', search: { return_to: location.href } });
      throw error;
    }
  },
});
const plain = createRoute({
  getParentRoute: () => app,
  id: 'plain',
  component: lazyRouteComponent(() => import('./layout/sections.tsx'), 'PlainPage'),
});
const plainPages = [
  createRoute({
    getParentRoute: () => plain,
    path: '/',
    component: lazyRouteComponent(() => import('./pages/tenants.tsx'), 'TenantsPage'),
  }),
  createRoute({
    getParentRoute: () => plain,
    path: '/tenants/new',
    component: lazyRouteComponent(() => import('./pages/new-tenant.tsx'), 'NewTenantPage'),
  }),
] as const;
const tenant = createRoute({
  getParentRoute: () => app,
  path: '/tenants/$tenant',
  component: lazyRouteComponent(() => import('./layout/tenant-layout.tsx'), 'TenantLayout'),
});
const tenantPages = [
  createRoute({
    getParentRoute: () => tenant,
    path: '/',
    component: lazyRouteComponent(() => import('./pages/tenant-home.tsx'), 'TenantHomePage'),
  }),
  createRoute({
    getParentRoute: () => tenant,
    path: '/members',
    component: lazyRouteComponent(() => import('./pages/members.tsx'), 'MembersPage'),
  }),
  createRoute({
    getParentRoute: () => tenant,
    path: '/keys',
    component: lazyRouteComponent(() => import('./pages/keys.tsx'), 'KeysPage'),
  }),
  createRoute({
    getParentRoute: () => tenant,
    path: '/settings',
    component: lazyRouteComponent(() => import('./pages/tenant-settings.tsx'), 'TenantSettingsPage'),
  }),
] as const;
const account = createRoute({
  getParentRoute: () => app,
  path: '/account',
  component: lazyRouteComponent(() => import('./layout/account-layout.tsx'), 'AccountLayout'),
});
const accountPages = [
  createRoute({
    getParentRoute: () => account,
    path: '/',
    component: lazyRouteComponent(() => import('./pages/profile.tsx'), 'ProfilePage'),
  }),
  createRoute({
    getParentRoute: () => account,
    path: '/security',
    component: lazyRouteComponent(() => import('./pages/security.tsx'), 'SecurityPage'),
  }),
  createRoute({
    getParentRoute: () => account,
    path: '/sessions',
    component: lazyRouteComponent(() => import('./pages/sessions.tsx'), 'SessionsPage'),
  }),
  createRoute({
    getParentRoute: () => account,
    path: '/privacy',
    component: lazyRouteComponent(() => import('./pages/privacy.tsx'), 'PrivacyPage'),
  }),
] as const;

const tree = root.addChildren([
  entry.addChildren([...entryPages]),
  app.addChildren([
    plain.addChildren([...plainPages]),
    tenant.addChildren([...tenantPages]),
    account.addChildren([...accountPages]),
  ]),
]);

/** Every page of the portal; each is loaded when it is first opened, or when a pointer rests on its link. */
export function newRouter(queryClient: QueryClient) {
  return createRouter({
    routeTree: tree,
    context: { queryClient },
    defaultPreload: 'intent',
    defaultPendingComponent: Spinner,
    defaultNotFoundComponent: NotFoundPage,
    defaultErrorComponent: WentWrongPage,
    scrollRestoration: true,
  });
}

declare module '@tanstack/react-router' {
  interface Register {
    router: ReturnType<typeof newRouter>;
  }
}
