import type { KubeObject } from '../../runtime/cluster.ts';
import { COMPONENT_LABEL, component, port } from '../names.ts';
import type { Wish } from '../wish.ts';
import { metadata } from './object.ts';

/** Addresses that are never a provider's: private, shared, loopback, link-local with cloud metadata, test, multicast. */
export const PRIVATE_IPV4 = [
  '0.0.0.0/8',
  '10.0.0.0/8',
  '100.64.0.0/10',
  '127.0.0.0/8',
  '169.254.0.0/16',
  '172.16.0.0/12',
  '192.0.0.0/24',
  '192.168.0.0/16',
  '198.18.0.0/15',
  '224.0.0.0/4',
  '240.0.0.0/4',
];
/** Global unicast is 2000::/3; of it, 6to4 and Teredo lead back into IPv4, private ranges included. */
const PUBLIC_IPV6 = { cidr: '2000::/3', except: ['2001::/32', '2002::/16'] };
/** Cloud metadata and other link-local services: closed even where a database address is only known by name. */
const LINK_LOCAL_IPV4 = '169.254.0.0/16';

/** Everything is closed in both directions; then each door is opened by name. */
export function networkPolicies(wish: Wish): KubeObject[] {
  const { postgres, redis, liteLlm, openWebUi, backup, chatData } = component;
  const managed = wish.externalDatabaseUrl === undefined;
  const way = {
    dns: dns(),
    ingress: fromNamespace(wish.settings.ingress.namespace),
    database: managed ? to(postgres, port.postgres) : externalDatabase(wish.externalDatabaseUrl ?? ''),
  };
  const monitoring = wish.settings.monitoringNamespace;
  return [
    policy(wish, 'default-deny', {}, { ingress: [], egress: [] }),
    policy(wish, openWebUi, part(openWebUi), {
      // the control plane tells it who has signed out
      ingress: [{ from: [way.ingress, controlPlanePods(wish)], ports: tcp(port.openWebUi) }],
      egress: [
        way.dns,
        to(liteLlm, port.liteLlm),
        to(redis, port.redis),
        // the OpenID provider
        controlPlane(wish),
        way.database,
      ],
    }),
    policy(wish, liteLlm, part(liteLlm), {
      ingress: [
        {
          from: [way.ingress, { podSelector: part(openWebUi) }, ...(monitoring ? [fromNamespace(monitoring)] : [])],
          ports: tcp(port.liteLlm),
        },
      ],
      egress: [way.dns, to(redis, port.redis), controlPlane(wish), ...providers(wish)],
    }),
    policy(wish, redis, part(redis), {
      ingress: [{ from: [{ podSelector: part(openWebUi) }, { podSelector: part(liteLlm) }], ports: tcp(port.redis) }],
      egress: [],
    }),
    policy(wish, chatData, part(chatData), { ingress: [], egress: [way.dns, controlPlane(wish), way.database] }),
    ...(managed
      ? [
          policy(wish, postgres, part(postgres), {
            ingress: [
              {
                from: [openWebUi, chatData, backup].map((name) => ({ podSelector: part(name) })),
                ports: tcp(port.postgres),
              },
            ],
            egress: [],
          }),
          policy(wish, backup, part(backup), { ingress: [], egress: [way.dns, to(postgres, port.postgres)] }),
        ]
      : []),
  ];
}

function policy(
  wish: Wish,
  name: string,
  podSelector: object,
  rules: { ingress: object[]; egress: object[] },
): KubeObject {
  return {
    apiVersion: 'networking.k8s.io/v1',
    kind: 'NetworkPolicy',
    metadata: metadata(wish, 'namespace', name),
    spec: {
      podSelector,
      policyTypes: ['Ingress', 'Egress'],
      // stated even when empty, so that a door somebody opens by hand is a difference and is closed again
      ingress: rules.ingress,
      egress: rules.egress,
    },
  };
}

function part(name: string): object {
  return { matchLabels: { [COMPONENT_LABEL]: name } };
}

function tcp(...ports: number[]): object[] {
  return ports.map((number) => ({ protocol: 'TCP', port: number }));
}

function to(name: string, number: number): object {
  return { to: [{ podSelector: part(name) }], ports: tcp(number) };
}

function fromNamespace(name: string): object {
  return { namespaceSelector: { matchLabels: { 'kubernetes.io/metadata.name': name } } };
}

function dns(): object {
  return {
    to: [{ ...fromNamespace('kube-system'), podSelector: { matchLabels: { 'k8s-app': 'kube-dns' } } }],
    ports: [
      { protocol: 'UDP', port: 53 },
      { protocol: 'TCP', port: 53 },
    ],
  };
}

function controlPlane(wish: Wish): object {
  return { to: [controlPlanePods(wish)], ports: tcp(port.controlPlane) };
}

function controlPlanePods({ settings }: Wish): object {
  return { ...fromNamespace(settings.platformNamespace), podSelector: part('control-plane') };
}

function providers({ settings }: Wish): object[] {
  const internet = {
    to: [{ ipBlock: { cidr: '0.0.0.0/0', except: PRIVATE_IPV4 } }, { ipBlock: PUBLIC_IPV6 }],
    ports: tcp(443),
  };
  const declared = settings.providerEgress.map((door) => ({
    to: [
      'cidr' in door
        ? { ipBlock: { cidr: door.cidr } }
        : { ...fromNamespace(door.namespace), podSelector: { matchLabels: door.podLabels } },
    ],
    ports: tcp(...door.ports),
  }));
  return [internet, ...declared];
}

/** A policy knows addresses, not names: a database given by name is let through by its port alone. */
function externalDatabase(databaseUrl: string): object {
  const url = new URL(databaseUrl);
  const byAddress = /^[0-9]+(\.[0-9]+){3}$/.test(url.hostname);
  const ipBlock = byAddress ? { cidr: `${url.hostname}/32` } : { cidr: '0.0.0.0/0', except: [LINK_LOCAL_IPV4] };
  return { to: [{ ipBlock }], ports: tcp(Number(url.port || port.postgres)) };
}
