// Pictures in grey as PNG with texts beside the pixels, as inference/files/png_file.py reads them.

const TABLE = Uint32Array.from({ length: 256 }, (_, n) => {
  for (let bit = 0; bit < 8; bit++) n = n & 1 ? (n >>> 1) ^ 0xedb88320 : n >>> 1;
  return n;
});

const crc = (bytes) => ~bytes.reduce((sum, byte) => (sum >>> 8) ^ TABLE[(sum ^ byte) & 255], -1) >>> 0;
const word = (n) => [n >>> 24, (n >>> 16) & 255, (n >>> 8) & 255, n & 255];
const letters = (text) => [...text].map((letter) => letter.charCodeAt(0));

function part(kind, body) {
  const whole = [...letters(kind), ...body];
  return [...word(body.length), ...whole, ...word(crc(whole))];
}

async function deflated(bytes) {
  const stream = new Blob([bytes]).stream().pipeThrough(new CompressionStream("deflate"));
  return new Uint8Array(await new Response(stream).arrayBuffer());
}

// A file of pixels, line by line, and of texts by keyword.
export async function png(pixels, [height, width], texts) {
  const lines = new Uint8Array(height * (width + 1)); // each line begins with its filter, none
  for (let line = 0; line < height; line++) lines.set(pixels.subarray(line * width, (line + 1) * width), line * (width + 1) + 1);
  const said = Object.entries(texts).flatMap(([key, text]) => part("tEXt", [...letters(key), 0, ...letters(text)]));
  const header = part("IHDR", [...word(width), ...word(height), 8, 0, 0, 0, 0]);
  const signature = [137, ...letters("PNG"), 13, 10, 26, 10];
  return Uint8Array.from([...signature, ...header, ...said, ...part("IDAT", [...(await deflated(lines))]), ...part("IEND", [])]);
}
