/** A door in a tenant's egress policy for providers that are not on the public internet. */
export type ProviderEgress =
  | { cidr: string; ports: number[] }
  | { namespace: string; podLabels: Record<string, string>; ports: number[] };

/** What the platform decides for all tenants; read once at start from environment and files. */
export interface Settings {
  baseDomain: string;
  platformNamespace: string;
  /** Where pods of tenants find the control plane: LiteLLM's hook, and Open WebUI its OpenID provider. */
  gatewayControlPlaneUrl: string;
  /** Where people sign in, and where signing out leads. */
  portalUrl: string;
  images: { liteLlm: string; openWebUi: string; postgres: string; redis: string };
  imagePullPolicy: 'IfNotPresent' | 'Always' | 'Never';
  ingress: { className: string | undefined; namespace: string };
  tls: { clusterIssuer: string } | { caSecret: string } | undefined;
  storageClassName: string | undefined;
  /** Namespace whose pods may scrape metrics. */
  monitoringNamespace: string | undefined;
  providerEgress: ProviderEgress[];
  /** The hook that LiteLLM loads: its files' texts by their names. */
  hook: Readonly<Record<string, string>>;
  /** What exports and erases a person's chats: its file's text. */
  chatDataScript: string;
}
