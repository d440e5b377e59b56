/**
 * A store of your own: one that encrypts what another store keeps, with AES-256 in counter
 * mode. Each byte is encrypted by itself, so uploads resume anywhere and a range costs no more
 * than before.
 *
 * It keeps who steals the disk or the bucket from reading; it does not notice changed bytes.
 * Each object has a key made from the secret and its name, which must not be used for other
 * bytes later: Carcosa never uses a name again.
 */
import { type Cipheriv, createCipheriv, hkdfSync } from 'node:crypto'
import { pipeline, type Readable } from 'node:stream'
import type { ByteSource, GrowingObject, Store } from 'carcosa/stores/store'

/** What `inner` keeps can be read with `secret` only: 32 bytes that nobody else knows. */
export function encrypted(inner: Store, secret: Buffer): Store {
  if (secret.length !== 32) throw new TypeError('encrypted(): secret must be 32 bytes')
  const cipherOf = (key: string, position = 0) => createCipher(secret, { key, position })

  /** What an object is, is told by its bytes: not by those that the store gets to see. */
  const readable = (object: GrowingObject): GrowingObject => ({
    ...object,
    describe: (head) => object.describe(cipherOf(object.key).update(head)),
  })

  return {
    kind: `encrypted-${inner.kind}`,
    start: (context) => inner.start(context),
    probe: inner.probe?.bind(inner),
    stat: (key) => inner.stat(key),
    remove: (key, memo) => inner.remove(key, memo),
    complete: (object, size) => inner.complete(readable(object), size),

    async write(object, source) {
      const { key, offset } = object
      const { stream, detach } = encryptedSource(source, cipherOf(key, offset))
      const back = cipherOf(key, offset)
      const onChunk = (chunk: Buffer) => source.onChunk(back.update(chunk))
      try {
        return await inner.write(readable(object), { ...source, stream, onChunk })
      } finally {
        detach()
      }
    },

    put(key, body, info) {
      const cipher = cipherOf(key)
      const sealed = Buffer.isBuffer(body) ? cipher.update(body) : join(body, cipher)
      return inner.put(key, sealed, info)
    },

    async open(key, range) {
      const opened = await inner.open(key, range)
      if (!opened) return null
      return { ...opened, stream: join(opened.stream, cipherOf(key, range?.start)) }
    },

    // The optional members that show nobody encrypted bytes: not signedUrl, direct and copy.
    offset: inner.offset?.bind(inner),
    list: inner.list?.bind(inner),
    listUnfinished: inner.listUnfinished?.bind(inner),
    keyFor: inner.keyFor?.bind(inner),
  }
}

const blockSize = 16

/** Encrypts, and decrypts as well, from byte `position` of an object on. */
function createCipher(
  secret: Buffer,
  { key, position }: { key: string; position: number },
): Cipheriv {
  const own = Buffer.from(hkdfSync('sha256', secret, key, 'carcosa-encrypted', 32))
  const counter = Buffer.alloc(blockSize)
  counter.writeBigUInt64BE(BigInt(Math.floor(position / blockSize)), 8)
  const cipher = createCipheriv('aes-256-ctr', own, counter)
  cipher.update(Buffer.alloc(position % blockSize))
  return cipher
}

/** One stream: an error of the first is one of both, and destroying the second stops the first. */
function join(stream: Readable, cipher: Cipheriv): Readable {
  return pipeline(stream, cipher, () => {})
}

/**
 * The bytes of a request, encrypted. Unlike in a pipeline, a request that breaks off is an
 * end like any other, since what arrived is kept; and the request is not destroyed, because it
 * has still to be answered.
 */
function encryptedSource({ stream }: ByteSource, cipher: Cipheriv) {
  const end = () => {
    stream.unpipe(cipher)
    cipher.end()
  }
  for (const event of ['aborted', 'close', 'error']) stream.on(event, end)
  if (stream.destroyed || stream.readableEnded) end()
  else stream.pipe(cipher)
  return { stream: cipher, detach: () => void stream.unpipe(cipher) }
}
