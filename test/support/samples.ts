/** Small files as they are, and files that are not what they say. */

/** A PNG of one pixel. */
export const png = Buffer.from(
  'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==',
  'base64',
)

export const html = Buffer.from(
  '<!doctype html><html><script>alert(document.domain)</script></html>',
)

export const svg = Buffer.from(
  '<?xml version="1.0"?><svg xmlns="http://www.w3.org/2000/svg" onload="alert(1)"/>',
)

export const php = Buffer.from('<?php system($_GET["c"]); ?>')

/** The head of a program for Windows. */
export const program = Buffer.concat([
  Buffer.from('MZ\x90\0\x03\0\0\0\x04\0\0\0\xff\xff\0\0', 'latin1'),
  Buffer.alloc(512),
])

export const zip = Buffer.concat([
  Buffer.from('PK\x03\x04\x14\0\0\0', 'latin1'),
  Buffer.alloc(64),
])

export const pdf = Buffer.from('%PDF-1.4\n1 0 obj\n<<>>\nendobj\ntrailer\n<<>>\n%%EOF\n')
