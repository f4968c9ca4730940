/** `make up`: cluster and platform, left running; `.local/env` says how to reach them. */
import { progress } from '../process/progress.ts';
import { bringPlatformUp } from './platform.ts';

const env = await bringPlatformUp(progress('up'));
console.log(`API_URL=${env.API_URL}\nBASE_DOMAIN=${env.BASE_DOMAIN}\nKUBECONFIG=${env.KUBECONFIG}`);
console.log('All of it, the admin key included, is in .local/env. Next: kubectl apply -f examples/, or make down.');
