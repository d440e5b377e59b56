import { createHash, createHmac, createSecretKey, type KeyObject } from 'node:crypto'
import type { S3ClientConfig } from '@aws-sdk/client-s3'

type Constructor = NonNullable<S3ClientConfig['sha256']>
type Secret = NonNullable<ConstructorParameters<Constructor>[0]>

/**
 * SHA-256 and HMAC as the signer of the SDK asks for them: twice for each request, with the same
 * two secrets all day. To Node a secret is a key object, whose making costs five times as much as
 * the code itself; each is made once here, for as long as the signer keeps the secret.
 */
export class Sha256 {
  readonly digestLength = 32
  readonly #key: KeyObject | null
  #hash: ReturnType<typeof createHash> | ReturnType<typeof createHmac>

  constructor(secret?: Secret) {
    this.#key = secret === undefined ? null : keyOf(secret)
    this.#hash = this.#begin()
  }

  update(data: Secret): void {
    this.#hash.update(typeof data === 'string' ? data : bytesOf(data))
  }

  async digest(): Promise<Uint8Array> {
    return this.#hash.digest()
  }

  reset(): void {
    this.#hash = this.#begin()
  }

  #begin() {
    return this.#key ? createHmac('sha256', this.#key) : createHash('sha256')
  }
}

const keys = new WeakMap<object, KeyObject>()
let lastText: { readonly secret: string; readonly key: KeyObject } | null = null

function keyOf(secret: Secret): KeyObject {
  if (typeof secret === 'string') {
    if (lastText?.secret !== secret) {
      lastText = { secret, key: createSecretKey(secret, 'utf8') }
    }
    return lastText.key
  }
  const known = keys.get(secret)
  if (known) return known
  const key = createSecretKey(bytesOf(secret))
  keys.set(secret, key)
  return key
}

function bytesOf(data: Exclude<Secret, string>): Uint8Array {
  return ArrayBuffer.isView(data)
    ? new Uint8Array(data.buffer, data.byteOffset, data.byteLength)
    : new Uint8Array(data)
}
