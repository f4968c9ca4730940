import { S3mini } from 's3mini';
import { HttpProblem } from '../http/problem.ts';
import type { FileDriver } from './file-driver.ts';

/** Milliseconds a request to the storage may take. */
const REQUEST_TIMEOUT_MS = 20_000;

export type S3Settings = {
  /** Such as https://s3.eu-central-1.example.org, without the bucket. */
  readonly endpoint: string;
  readonly bucket: string;
  readonly region: string;
  readonly accessKey: string;
  readonly secretKey: string;
};

/** Files in a bucket of an S3-compatible storage, addressed by path. The bucket is there already. */
export function s3Driver({ endpoint, bucket, region, accessKey, secretKey }: S3Settings): FileDriver {
  const s3 = new S3mini({
    endpoint: `${endpoint.replace(/\/$/, '')}/${bucket}`,
    region,
    accessKeyId: accessKey,
    secretAccessKey: secretKey,
    requestAbortTimeout: REQUEST_TIMEOUT_MS,
  });
  return {
    put: (address, content) => asked(() => s3.putObject(address, content, 'application/octet-stream')),
    get: async (address) => {
      const content = await asked(() => s3.getObjectArrayBuffer(address));
      return content === null ? undefined : Buffer.from(content);
    },
    remove: (address) => asked(() => s3.deleteObject(address)),
  };
}

/** What S3 says of its troubles is for the log; whoever called is told that it is away. */
async function asked<Result>(work: () => Promise<Result>): Promise<Result> {
  try {
    return await work();
  } catch (cause) {
    const away = new HttpProblem(503, 'file_storage_away', 'the storage of files does not answer; try again');
    away.cause = cause;
    throw away;
  }
}
