/** Lines with which a new key can be tried at once. The model is one that the gateway lists. */
export function keySnippets(host: string, key: string, model: string): { curl: string; node: string; python: string } {
  const base = `https://${host}/v1`;
  return {
    curl: `curl ${base}/chat/completions \\
  -H "Authorization: Bearer ${key}" \\
  -H "Content-Type: application/json" \\
  -d '{"model": "${model}", "messages": [{"role": "user", "content": "Hallo!"}]}'`,
    node: `import OpenAI from 'openai';

const client = new OpenAI({
  baseURL: '${base}',
  apiKey: '${key}',
});
const answer = await client.chat.completions.create({
  model: '${model}',
  messages: [{ role: 'user', content: 'Hallo!' }],
});
console.log(answer.choices[0].message.content);`,
    python: `from openai import OpenAI

client = OpenAI(base_url="${base}", api_key="${key}")
answer = client.chat.completions.create(
    model="${model}",
    messages=[{"role": "user", "content": "Hallo!"}],
)
print(answer.choices[0].message.content)`,
  };
}
