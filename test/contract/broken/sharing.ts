import type { Store } from '../../../stores/store.ts'
import type { Break } from './break.ts'

/** `signedUrl` and `direct` of a store that is reached by HTTP. */
export const brokenSharing: Break<Store>[] = [
  [
    'signedUrl: it answers with what is attached to the object',
    /as granted/,
    (right) => ({
      async signedUrl(...given) {
        const url = new URL((await right.signedUrl?.(...given)) ?? '')
        url.searchParams.delete('response-content-type')
        return url.href
      },
    }),
  ],
  [
    'signedUrl: it is of another object',
    /as granted/,
    (right) => ({
      signedUrl: (key, grant) =>
        right.signedUrl?.(`${key}-`, grant) ?? Promise.resolve(''),
    }),
  ],
  [
    'direct: a missing part is not missed',
    /incomplete/,
    (right) => direct(right, { finish: async () => {} }),
  ],
  [
    'direct: it finishes once',
    /from the client to the store/,
    (right) => {
      const done = new Set<string>()
      return direct(right, {
        async finish(...given) {
          if (done.has(given[0])) throw new Error('again?')
          await right.direct?.finish(...given)
          done.add(given[0])
        },
      })
    },
  ],
  [
    'direct: the parts are not the object',
    /from the client to the store/,
    (right) =>
      direct(right, {
        async begin(key, size, options) {
          if (!right.direct) throw new TypeError('there is no direct to break')
          return right.direct.begin(key, size + 1, options)
        },
      }),
  ],
]

function direct(
  right: Store,
  changes: Partial<NonNullable<Store['direct']>>,
): Partial<Store> {
  return right.direct ? { direct: { ...right.direct, ...changes } } : {}
}
