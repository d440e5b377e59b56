import { createHash } from 'node:crypto'
import { crc32 } from 'node:zlib'
import { S3Error } from './error.ts'

/** The checksums that the fake can compute. */
export type Algorithm = (typeof algorithms)[number]

export interface Hasher {
  update(chunk: Buffer): void
  digest(): Buffer
}

/** Of one part, what the checksum of the whole is made from. */
export interface PartSum {
  readonly size: number
  readonly checksum: Buffer
}

const algorithms = ['crc32', 'sha1', 'sha256'] as const

/** @throws S3Error for an algorithm that the fake does not know. */
export function algorithmOf(name: string): Algorithm {
  const found = algorithms.find((algorithm) => algorithm === name.toLowerCase())
  if (!found)
    throw new S3Error('NotImplemented', `The checksum ${name} is not supported.`)
  return found
}

/** The algorithm that a request names, by its checksum, its trailer or its choice. */
export function algorithmIn(headers: Readonly<Record<string, string>>): Algorithm | null {
  const trailer = headers['x-amz-trailer'] ?? ''
  const named = [...Object.keys(headers), trailer]
    .map((name) => /^x-amz-checksum-(crc\w+|sha\w+)$/.exec(name)?.[1])
    .find((name) => name !== undefined)
  const chosen = named ?? headers['x-amz-sdk-checksum-algorithm']
  return chosen === undefined ? null : algorithmOf(chosen)
}

export function hasher(algorithm: Algorithm | 'md5'): Hasher {
  if (algorithm !== 'crc32') return createHash(algorithm)
  let value = 0
  return {
    update(chunk) {
      value = crc32(chunk, value)
    },
    digest: () => crcBytes(value),
  }
}

/** The name of a checksum in XML, such as `ChecksumCRC32`. */
export function elementName(algorithm: Algorithm): string {
  return `Checksum${algorithm.toUpperCase()}`
}

/** The checksum of the parts' checksums. */
export function composite(algorithm: Algorithm, parts: readonly PartSum[]): string {
  const sum = hasher(algorithm)
  for (const { checksum } of parts) sum.update(checksum)
  return `${sum.digest().toString('base64')}-${parts.length}`
}

/** The CRC of the whole, from those of the parts, whose bytes may be gone. */
export function fullObject(parts: readonly PartSum[]): string {
  const whole = parts.reduce((value, { size, checksum }) => {
    // A CRC is linear: AB is (A and zeros) xor (zeros) xor B.
    return (zeros(size, value) ^ zeros(size, 0) ^ checksum.readUInt32BE()) >>> 0
  }, 0)
  return crcBytes(whole).toString('base64')
}

const zeroBlock = Buffer.alloc(65_536)

function zeros(count: number, value: number): number {
  let result = value
  for (let left = count; left > 0; left -= zeroBlock.length) {
    result = crc32(zeroBlock.subarray(0, left), result)
  }
  return result
}

function crcBytes(value: number): Buffer {
  const bytes = Buffer.alloc(4)
  bytes.writeUInt32BE(value >>> 0)
  return bytes
}
