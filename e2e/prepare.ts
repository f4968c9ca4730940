import { toolsFolder } from './cluster/tools.ts';
import { ensureDebianPackages } from './images/debian-packages.ts';
import { pythonEnvironment } from './images/python-env.ts';
import { progress } from './process/progress.ts';

/**
 * Makes what tests without a cluster run on: Kubernetes and helm from source, LiteLLM's environment, OpenAI's and OpenID
 * Connect's Python clients, Redis, a server that speaks S3. The first time on a machine this takes a quarter of an hour
 * and tells how far it is; a test that needed it would time out.
 */
export async function prepareMachine(): Promise<void> {
  const tool = async (name: 'kubernetes' | 'helm' | 'gofakes3') => {
    await toolsFolder(name, progress('tools'));
  };
  await ensureDebianPackages(['redis-server'], progress('packages'));
  const python = async () => {
    await pythonEnvironment('litellm', progress('litellm'));
    await pythonEnvironment('openai-client', progress('openai'));
    await pythonEnvironment('oidc-client', progress('authlib'));
    await pythonEnvironment('schemathesis', progress('schemathesis'));
    await pythonEnvironment('chat-data', progress('chat-data'));
  };
  const tools = async () => {
    for (const name of ['gofakes3', 'kubernetes', 'helm'] as const) await tool(name);
  };
  await Promise.all([python(), tools()]);
}
