import path from 'node:path';
import type { Say } from '../process/progress.ts';
import { type ImageArchive, staticImage } from './static-image.ts';
import { toolsFolder } from './tools.ts';

/** Images of what a cluster needs before the platform comes. */
export interface SystemImages {
  pause: ImageArchive;
  coredns: ImageArchive;
  traefik: ImageArchive;
  localPathProvisioner: ImageArchive;
  volumeHelper: ImageArchive;
}

/** Builds what is missing of them. `programs` is the folder of the rig's own programs. */
export async function systemImages(programs: string, say: Say): Promise<SystemImages> {
  const coredns = path.join(await toolsFolder('coredns', say), 'coredns');
  const provisioner = path.join(await toolsFolder('local-path-provisioner', say), 'local-path-provisioner');
  return {
    pause: await staticImage({ image: 'pause', programs: [path.join(programs, 'pause')] }),
    coredns: await staticImage({ image: 'coredns', programs: [coredns] }),
    traefik: await traefikImage(say),
    localPathProvisioner: await staticImage({ image: 'local-path-provisioner', programs: [provisioner] }),
    // It makes folders in a folder of root's.
    volumeHelper: await staticImage({
      image: 'volume-helper',
      programs: [path.join(programs, 'volume-helper')],
      user: '0:0',
    }),
  };
}

/** The ingress controller's image, which kind needs too. */
export async function traefikImage(say: Say): Promise<ImageArchive> {
  const traefik = path.join(await toolsFolder('traefik', say), 'traefik');
  return await staticImage({ image: 'traefik', programs: [traefik] });
}
