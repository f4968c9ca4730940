import { accountWithRights, type Manifest, restrictedContainer } from './manifest.ts';

/** Default StorageClass of the rig: a folder on the node, made when the first pod that uses it is scheduled. */
export const STORAGE_CLASS = 'local-path';

const namespace = 'local-path-storage';
const name = 'local-path-provisioner';
const labels = { 'app.kubernetes.io/name': name };

/** The storage provisioner. `helperImage` holds the program that makes and removes folders in `volumesFolder` of the node. */
export function localPath(image: string, helperImage: string, volumesFolder: string): Manifest[] {
  const configuration = {
    nodePathMap: [{ node: 'DEFAULT_PATH_FOR_NON_LISTED_NODES', paths: [volumesFolder] }],
    setupCommand: '/volume-helper',
    teardownCommand: '/volume-helper',
  };
  const helperPod = {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name: 'helper-pod' },
    spec: { containers: [{ name: 'helper-pod', image: helperImage, imagePullPolicy: 'IfNotPresent' }] },
  };
  return [
    { apiVersion: 'v1', kind: 'Namespace', metadata: { name: namespace } },
    ...accountWithRights(name, namespace, [
      {
        apiGroups: [''],
        resources: ['nodes', 'persistentvolumeclaims', 'configmaps', 'pods', 'pods/log'],
        verbs: ['get', 'list', 'watch'],
      },
      { apiGroups: [''], resources: ['pods'], verbs: ['create', 'delete'] },
      {
        apiGroups: [''],
        resources: ['persistentvolumes'],
        verbs: ['get', 'list', 'watch', 'create', 'patch', 'update', 'delete'],
      },
      { apiGroups: [''], resources: ['events'], verbs: ['create', 'patch'] },
      { apiGroups: ['storage.k8s.io'], resources: ['storageclasses'], verbs: ['get', 'list', 'watch'] },
    ]),
    {
      apiVersion: 'storage.k8s.io/v1',
      kind: 'StorageClass',
      metadata: {
        name: STORAGE_CLASS,
        annotations: { 'storageclass.kubernetes.io/is-default-class': 'true' },
      },
      provisioner: 'rancher.io/local-path',
      volumeBindingMode: 'WaitForFirstConsumer',
      reclaimPolicy: 'Delete',
      allowVolumeExpansion: true,
    },
    {
      apiVersion: 'v1',
      kind: 'ConfigMap',
      metadata: { name: 'local-path-config', namespace },
      data: { 'config.json': JSON.stringify(configuration), 'helperPod.yaml': JSON.stringify(helperPod) },
    },
    {
      apiVersion: 'apps/v1',
      kind: 'Deployment',
      metadata: { name, namespace, labels },
      spec: {
        selector: { matchLabels: labels },
        template: {
          metadata: { labels },
          spec: {
            serviceAccountName: `${name}`,
            containers: [
              {
                name,
                image,
                imagePullPolicy: 'IfNotPresent',
                args: ['start', '--config', '/etc/config/config.json', '--service-account-name', name],
                env: [
                  { name: 'POD_NAMESPACE', valueFrom: { fieldRef: { fieldPath: 'metadata.namespace' } } },
                  { name: 'CONFIG_MOUNT_PATH', value: '/etc/config/' },
                ],
                resources: { requests: { cpu: '10m', memory: '30Mi' }, limits: { memory: '128Mi' } },
                securityContext: restrictedContainer,
                volumeMounts: [{ name: 'configuration', mountPath: '/etc/config', readOnly: true }],
              },
            ],
            volumes: [{ name: 'configuration', configMap: { name: 'local-path-config' } }],
          },
        },
      },
    },
  ];
}
