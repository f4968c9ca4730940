import { createHash, randomBytes } from 'node:crypto';
import { expect, test } from 'vitest';
import { contentAddress, type FileDriver } from '../files/file-driver.ts';

/** What every storage of files must do; run by the test of each. */
export function fileDriverScenarios(driverOf: () => FileDriver): void {
  const made = (bytes = 1_000) => {
    const content = randomBytes(bytes);
    return { content, address: contentAddress(1n, createHash('sha256').update(content).digest()) };
  };

  test('gives back the bytes it was given', async () => {
    for (const bytes of [1, 1_000, 3_000_000]) {
      const { content, address } = made(bytes);
      await driverOf().put(address, content);
      expect((await driverOf().get(address))?.equals(content)).toBe(true);
    }
  });

  test('knows nothing of what it was not given, or was told to remove', async () => {
    const { content, address } = made();
    expect(await driverOf().get(address)).toBeUndefined();
    await driverOf().put(address, content);
    await driverOf().remove(address);
    expect(await driverOf().get(address)).toBeUndefined();
    await driverOf().remove(address);
  });

  test('takes the same bytes as often as somebody brings them, also at once', async () => {
    const { content, address } = made();
    await Promise.all(Array.from({ length: 10 }, () => driverOf().put(address, content)));
    expect((await driverOf().get(address))?.equals(content)).toBe(true);
  });
}
