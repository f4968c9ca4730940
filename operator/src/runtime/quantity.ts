/** Powers of ten that a suffix stands for. */
const DECIMAL: Readonly<Record<string, number>> = {
  n: -9,
  u: -6,
  m: -3,
  '': 0,
  k: 3,
  M: 6,
  G: 9,
  T: 12,
  P: 15,
  E: 18,
};
/** Powers of 1024 that a suffix stands for. */
const BINARY: Readonly<Record<string, number>> = { Ki: 1, Mi: 2, Gi: 3, Ti: 4, Pi: 5, Ei: 6 };
/** Decimal places kept on each side: far more than any quantity has, so that exponents cannot ask for gigabytes. */
const MAX_EXPONENT = 60;

/** Whether two Kubernetes quantities are the same amount (`1000m` and `1`, `1024Mi` and `1Gi`); false when either is none. */
export function sameQuantity(one: unknown, other: unknown): boolean {
  const [a, b] = [parse(one), parse(other)];
  return a !== undefined && a === b;
}

/** The amount times 10 ** MAX_EXPONENT, exactly. */
function parse(quantity: unknown): bigint | undefined {
  const text = typeof quantity === 'number' ? String(quantity) : quantity;
  if (typeof text !== 'string') return undefined;
  const parts = /^([+-]?)(\d*)\.?(\d*)(?:([KMGTPE]i)|([numkMGTPE]?)|[eE]([+-]?\d{1,2}))$/.exec(text);
  if (parts === null) return undefined;
  const [, sign, whole = '', fraction = '', binary, decimal = '', exponent] = parts;
  if (whole + fraction === '') return undefined;
  const power = (exponent === undefined ? (DECIMAL[decimal] ?? 0) : Number(exponent)) - fraction.length;
  if (Math.abs(power) > MAX_EXPONENT) return undefined;
  const factor = binary === undefined ? 1n : 1024n ** BigInt(BINARY[binary] ?? 0);
  const amount = BigInt(whole + fraction) * factor * 10n ** BigInt(MAX_EXPONENT + power);
  return sign === '-' ? -amount : amount;
}
