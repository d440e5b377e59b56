import type { RouteDescription } from '../../routes/describe.ts'

/** A file that a route takes: what it is called, how it begins, how large it may be. */
export interface Sample {
  readonly name: string
  readonly type: string
  readonly minSize: number
  readonly maxSize: number
  /** Content of that many bytes, or the part of it from `start`; easy to compress. */
  bytes(size: number, start?: number): Buffer
}

/** By the names that routes use; `blob` takes any of them. */
const kinds: Readonly<Record<string, { name: string; type: string; magic?: Buffer }>> = {
  blob: { name: 'carcosa-doctor.txt', type: 'text/plain' },
  text: { name: 'carcosa-doctor.txt', type: 'text/plain' },
  'text/plain': { name: 'carcosa-doctor.txt', type: 'text/plain' },
  image: { name: 'carcosa-doctor.gif', type: 'image/gif', magic: gif() },
  'image/gif': { name: 'carcosa-doctor.gif', type: 'image/gif', magic: gif() },
  'image/png': { name: 'carcosa-doctor.png', type: 'image/png', magic: png() },
  'image/jpeg': {
    name: 'carcosa-doctor.jpg',
    type: 'image/jpeg',
    magic: Buffer.from('ffd8ffe000104a464946000101', 'hex'),
  },
  pdf: { name: 'carcosa-doctor.pdf', type: 'application/pdf', magic: pdf() },
  'application/pdf': {
    name: 'carcosa-doctor.pdf',
    type: 'application/pdf',
    magic: pdf(),
  },
  video: { name: 'carcosa-doctor.mp4', type: 'video/mp4', magic: mp4() },
  'video/mp4': { name: 'carcosa-doctor.mp4', type: 'video/mp4', magic: mp4() },
  audio: {
    name: 'carcosa-doctor.mp3',
    type: 'audio/mpeg',
    magic: Buffer.from('ID3\u0004'),
  },
  'audio/mpeg': {
    name: 'carcosa-doctor.mp3',
    type: 'audio/mpeg',
    magic: Buffer.from('ID3\u0004'),
  },
}

/** The file to try a route with; null if it takes no type that is known here. */
export function sampleFor({ types }: Pick<RouteDescription, 'types'>): Sample | null {
  for (const [kind, rule] of Object.entries(types)) {
    const known = kinds[kind]
    if (!known) continue
    const { name, type, magic = Buffer.alloc(0) } = known
    const { minFileSize: minSize, maxFileSize: maxSize } = rule
    return { name, type, minSize, maxSize, bytes: contentAfter(magic) }
  }
  return null
}

/** `size`, or the nearest to it that the route allows. */
export function fitting({ minSize, maxSize }: Sample, size: number): number {
  return Math.max(minSize, 1, Math.min(maxSize, size))
}

const line = Buffer.from('carcosa doctor was here and will not be for long\n')

function contentAfter(magic: Buffer): Sample['bytes'] {
  return (size, start = 0) => {
    const content = Buffer.alloc(size, line)
    magic.copy(content, 0, 0, size)
    return content.subarray(start)
  }
}

/** One pixel; readers stop at its end. */
function gif(): Buffer {
  return Buffer.from('R0lGODlhAQABAIAAAP///wAAACwAAAAAAQABAAACAkQBADs=', 'base64')
}

/** One pixel. */
function png(): Buffer {
  return Buffer.from(
    'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAQAAAC1HAwCAAAAC0lEQVR42mNk+A8AAQUBAScY42YAAAAASUVORK5CYII=',
    'base64',
  )
}

function pdf(): Buffer {
  return Buffer.from('%PDF-1.7\n')
}

/** The box that says what kind of film it is, and one of free space. */
function mp4(): Buffer {
  const box = Buffer.from('\0\0\0\x18ftypisom\0\0\x02\0isomiso2')
  return Buffer.concat([box, Buffer.from('\0\0\0\0free')])
}
