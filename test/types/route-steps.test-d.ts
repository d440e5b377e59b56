import { z } from 'zod'
import type { Route } from '../../src/routes/definition.ts'
import { renamedFiles } from '../../src/routes/hooks.ts'
import { route } from '../../src/routes/route.ts'
import { type Equal, expectType } from './equal.ts'

/** What the builder refuses. None of this is run: at run time it throws. */

const schema = z.object({ a: z.string() })
const image = route(['image'])

export function aStepTwice(): void {
  // @ts-expect-error .input() is already set on this route
  image.input(schema).input(schema)
  // @ts-expect-error .public() is already set on this route
  image.public().public()
  // @ts-expect-error .middleware() is already set on this route
  image.middleware(() => ({})).middleware(() => ({}))
  // @ts-expect-error .store() is already set on this route
  image.store('a').store('a')
  // @ts-expect-error .store() is already set on this route
  image.store(() => 'a').store('a')
  // @ts-expect-error .mirror() is already set on this route
  image.mirror('a').mirror('b')
  // @ts-expect-error .serve() is already set on this route
  image.serve('proxy').serve('redirect')
  // @ts-expect-error .expiresIn() is already set on this route
  image.expiresIn('1h').expiresIn('1h')
  // @ts-expect-error .rateLimit() is already set on this route
  image.rateLimit(false).rateLimit(false)
  // @ts-expect-error .onUploadComplete() is already set on this route
  image.onUploadComplete(() => 1).onUploadComplete(() => 1)
  // @ts-expect-error .onUploadError() is already set on this route
  image.onUploadError(() => {}).onUploadError(() => {})
  // @ts-expect-error .input() is already set, however many steps ago
  image.input(schema).public().expiresIn(1).store('a').input(schema)
}

export function aStepTooLate(): void {
  // @ts-expect-error .input() must come before .middleware()
  image.middleware(() => ({})).input(schema)
  // @ts-expect-error .input() must come before .onUploadComplete()
  image.onUploadComplete(() => 1).input(schema)
  // @ts-expect-error .public() must come before .middleware()
  image.middleware(() => ({})).public()
  // @ts-expect-error .middleware() must come before .onUploadComplete()
  image.onUploadComplete(() => 1).middleware(() => ({}))
  // @ts-expect-error .middleware() must come before .onUploadError()
  image.onUploadError(() => {}).middleware(() => ({}))
  // @ts-expect-error .middleware() must come before .store()
  image.store(() => 'a').middleware(() => ({}))
}

export function stepsInAnyOrderThatMakesSense(): Route[] {
  return [
    image,
    image.public().input(schema),
    image.input(schema).public(),
    image
      .store('a')
      .expiresIn('1 day')
      .input(schema)
      .middleware(() => ({})),
    image.onUploadComplete(() => 1).onUploadError(() => {}),
    image
      .onUploadError(() => {})
      .onUploadComplete(() => 1)
      .expiresIn(5),
    image.middleware(() => {}).store(() => 'a'),
    image.onUploadComplete(() => 1).mirror('b'),
    image.mirror('b').input(schema),
    image.onUploadComplete(() => 1).serve('redirect'),
    image.serve('proxy').input(schema),
  ]
}

export function theFalseReturn(): void {
  // @ts-expect-error metadata is an object
  image.middleware(() => 'text')
  // @ts-expect-error a store is named by text
  image.store(() => 5)
  // @ts-expect-error files are served by the server or by the store
  image.serve('cdn')
  // @ts-expect-error a mirror is named by text
  image.mirror(() => 'a')
  image.middleware(({ files }) => ({
    [renamedFiles]: files.map(({ name }) => ({ name })),
  }))
  // @ts-expect-error a file has a name
  image.middleware(() => ({ [renamedFiles]: [{ size: 5 }] }))
}

export function renamedFilesAreNoMetadata(): void {
  image
    .middleware(({ files }) => ({ [renamedFiles]: files, owner: 'x' }))
    .onUploadComplete(({ metadata }) => {
      expectType<Equal<typeof metadata, { owner: string }>>()
      // @ts-expect-error it is gone
      metadata[renamedFiles]
    })
}

export function inputThatCannotBeJson(): void {
  // @ts-expect-error a client cannot send a Date
  image.input(z.object({ day: z.date() }))
  // @ts-expect-error a client cannot send a Map
  image.input(z.map(z.string(), z.string()))
  // @ts-expect-error a client cannot send a bigint
  image.input(z.object({ n: z.bigint() }))
  // @ts-expect-error this is no schema
  image.input({ parse: () => 1 })
  image.input(z.unknown())
  image.input(z.any())
  image.input(z.json())
  image.input(z.record(z.string(), z.number()))
  image.input(
    z.discriminatedUnion('t', [
      z.object({ t: z.literal(1) }),
      z.object({ t: z.literal(2) }),
    ]),
  )
  image.input(
    z.object({
      list: z.array(z.enum(['a', 'b'])).readonly(),
      may: z.string().optional(),
    }),
  )
  image.input(z.string().brand('id'))
  image.input(z.object({ any: z.any(), unknown: z.unknown() }))
}

export function falseConfig(): void {
  // @ts-expect-error no such group
  route(['images'])
  // @ts-expect-error no such group
  route({ photo: {} })
  // @ts-expect-error no such option
  route({ image: { maxFilesize: '1MB' } })
  // @ts-expect-error not a size
  route({ image: { maxFileSize: '4 megs' } })
  // @ts-expect-error not a disposition
  route({ image: { contentDisposition: 'download' } })
  // @ts-expect-error not an acl
  route({ image: { acl: 'public' } })
  // @ts-expect-error a count is a number
  route({ image: { maxFileCount: '3' } })
  // @ts-expect-error width is a number
  route({ image: { additionalProperties: { width: '9' } } })
  // @ts-expect-error no such option
  route(['image'], { awaitServer: true })
  // @ts-expect-error a duration needs a unit
  route(['image'], { ticketTTL: '60' })
  // @ts-expect-error not a duration
  image.expiresIn('2 months')
  // @ts-expect-error a limit has a time
  image.rateLimit({ points: 5 })
  // @ts-expect-error a duration needs a unit
  image.rateLimit({ points: 5, per: '60' })
  // @ts-expect-error nobody is limited by that
  image.rateLimit({ user: { points: 5, per: '1m' } })
  // @ts-expect-error true is no limit
  image.rateLimit(true)
}

export function goodConfig(): void {
  image.rateLimit({ points: 5, per: '1m' })
  image.onUploadError(() => {}).rateLimit({ principal: { points: 5, per: 60_000 } })
  image.rateLimit({ address: false, project: { points: 5, per: '1 hour' } })
  route(['image', 'video', 'audio', 'pdf', 'text', 'blob', 'application/zip'])
  route({ 'image/png': { maxFileSize: '1.5 GiB', minFileSize: '64kb' }, pdf: {} })
  route({ image: { maxFileSize: 1024, additionalProperties: { width: 9, more: 'x' } } })
  route({ pdf: { additionalProperties: { any: 'thing' } } })
  route(['image'], { presignedURLTTL: 60, trustedType: 'declared' })
  route(['image'], {
    getFileHashParts: (file) => [file.name, file.size],
    hashFn: () => 1,
  })
}
