import makeQrCode from 'qrcode-generator';

/** Modules of white around the code, which cameras need to find it. */
const QUIET_ZONE = 4;

/** A QR code, drawn here: its secret goes to no image service. Black on white in every colour scheme, as cameras want. */
export function QrCode({ text, label }: { text: string; label: string }) {
  const code = makeQrCode(0, 'M');
  code.addData(text);
  code.make();
  const count = code.getModuleCount();
  const size = count + 2 * QUIET_ZONE;
  let path = '';
  for (let row = 0; row < count; row += 1) {
    for (let column = 0; column < count; column += 1) {
      if (code.isDark(row, column)) path += `M${column + QUIET_ZONE} ${row + QUIET_ZONE}h1v1h-1z`;
    }
  }
  return (
    <svg viewBox={`0 0 ${size} ${size}`} role="img" aria-label={label} className="size-48 rounded-lg bg-white">
      <path d={path} className="fill-black" shapeRendering="crispEdges" />
    </svg>
  );
}
