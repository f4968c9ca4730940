import { S3mini } from 's3mini';
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
    put: async (address, content) => {
      const answer = await s3.putObject(address, content, 'application/octet-stream');
      if (!answer.ok) throw new Error(`the storage answered a PUT with ${answer.status}`);
    },
    get: async (address) => {
      const content = await s3.getObjectArrayBuffer(address);
      return content === null ? undefined : Buffer.from(content);
    },
    remove: async (address) => {
      await s3.deleteObject(address);
    },
  };
}
