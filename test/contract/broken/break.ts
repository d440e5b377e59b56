import type { ByteSource, Progress, Store } from '../../../stores/store.ts'

/** What is broken, a test that must notice, and how it is broken. */
export type Break<S extends Store> = [what: string, noticed: RegExp, change: Change<S>]

/** Replaces members of `store`, of which `right` has those that work. */
type Change<S extends Store> = (right: S, store: S) => Partial<Store>

/** `store` with what `change` changes; what works goes on working with that. */
export function broken<S extends Store>(store: S, change: Change<S>): S {
  return Object.assign(store, change({ ...store }, store))
}

/** `write` with another source. */
export function writing(
  right: Store,
  change: (source: ByteSource) => ByteSource,
): Pick<Store, 'write'> {
  return { write: (object, source) => right.write(object, change(source)) }
}

/** `write` where `tell` tells what is told. */
export function telling(
  right: Store,
  tell: (progress: Progress, source: ByteSource) => void,
): Pick<Store, 'write'> {
  return writing(right, (source) => ({
    ...source,
    onStored: (progress) => tell(progress, source),
  }))
}

export function withProgress(
  right: Store,
  change: (progress: Progress) => Progress,
): Pick<Store, 'write'> {
  return telling(right, (progress, source) => source.onStored(change(progress)))
}

/** `stream`, some of whose members are others. */
export function overlaid(
  stream: ByteSource['stream'],
  members: Partial<ByteSource['stream']>,
): ByteSource['stream'] {
  return new Proxy(stream, {
    get(target, name) {
      const member = Reflect.get({ ...members }, name) ?? Reflect.get(target, name)
      return typeof member === 'function' ? member.bind(target) : member
    },
  })
}

export async function whatArrives(body: AsyncIterable<Buffer>): Promise<Buffer> {
  const chunks: Buffer[] = []
  try {
    for await (const chunk of body) chunks.push(chunk)
  } catch {
    // Then that was all.
  }
  return Buffer.concat(chunks)
}
