import { z } from 'zod'
import { createClient, type FileUpload, type UploadResult } from '../../client/index.ts'
import { createRouter, route } from '../../src/index.ts'
import { type Equal, expectType } from './equal.ts'

/** What `createClient<typeof router>()` promises about routes, inputs and results. */
const router = createRouter({
  plain: route(['image']),
  avatar: route(['image'])
    .input(z.object({ albumId: z.string() }))
    .onUploadComplete(({ file }) => ({ url: file.url, at: new Date() })),
  open: route(['blob'])
    .input(z.object({ note: z.string() }).optional())
    .onUploadComplete(() => 7),
  quick: route(['blob'], { awaitServerData: false }).onUploadComplete(() => 7),
})
type R = typeof router

const client = createClient<R>({ url: 'https://example.com' })
const files = [new File([], 'a')]
const input = { albumId: '1' }

export const avatar = client.upload('avatar', files, { input })
type Avatar = NonNullable<Awaited<typeof avatar>['files'][number]>['serverData']
expectType<Equal<Avatar['at'], string>>()

export const open = client.upload('open', files)
expectType<Equal<typeof open, Promise<UploadResult<number>>>>()
export const quick = client.upload('quick', files)
expectType<Equal<typeof quick, Promise<UploadResult<null>>>>()
export const upload = client.create('open', files, { input: { note: 'x' } })
expectType<Equal<typeof upload.done, Promise<UploadResult<number>>>>()
expectType<Equal<typeof upload.files, readonly FileUpload<number>[]>>()

/** A `FileList`, an array and any iterable are lists of files. */
export const lists = [
  client.upload('plain', document.createElement('input').files ?? []),
  client.upload('plain', new Set(files)),
  client.upload('plain', [new Blob([])], { headers: () => ({ a: 'b' }) }),
]

// @ts-expect-error there is no such route
client.upload('nobody', files)
// @ts-expect-error the input is missing
client.upload('avatar', files)
// @ts-expect-error the input is missing
client.create('avatar', files, {})
// @ts-expect-error the input has another shape
client.upload('avatar', files, { input: { albumId: 1 } })
// @ts-expect-error this route takes no input
client.upload('plain', files, { input })
// @ts-expect-error a name is not a file
client.upload('plain', ['a.png'])

/** Without a router every name and input goes, and nothing is known of the result. */
const untyped = createClient({ url: 'https://example.com' })
export const anything = untyped.upload('whatever', files, { input: 1 })
expectType<Equal<typeof anything, Promise<UploadResult<unknown>>>>()
