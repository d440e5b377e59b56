import type { InputField, RouteNames, RouteServerData } from '../../src/routes/infer.ts'
import { type Equal, expectType } from './equal.ts'
import type { router } from './routes.test-d.ts'

/** The types a client's `upload` is made of, called as its users would. */

type R = typeof router
type Options<Name extends RouteNames<R>> = { signal?: AbortSignal } & InputField<R, Name>

declare function upload<Name extends RouteNames<R>>(
  route: Name,
  files: Blob[],
  ...options: Options<Name> extends { input: unknown }
    ? [Options<Name>]
    : [Options<Name>?]
): Promise<RouteServerData<R, Name>>

export async function calls(files: Blob[], signal: AbortSignal): Promise<void> {
  const avatar = await upload('avatar', files, {
    input: { albumId: 'a', width: '9' },
    signal,
  })
  expectType<Equal<typeof avatar.url, string>>()
  await upload('plain', files)
  await upload('plain', files, { signal })
  await upload('open', files)
  await upload('open', files, { input: { note: 'x' } })

  // @ts-expect-error this route needs an input
  await upload('avatar', files)
  // @ts-expect-error this route needs an input
  await upload('avatar', files, { signal })
  // @ts-expect-error the input lacks width
  await upload('avatar', files, { input: { albumId: 'a' } })
  // @ts-expect-error width is text until the schema read it
  await upload('avatar', files, { input: { albumId: 'a', width: 9 } })
  // @ts-expect-error a note is text
  await upload('open', files, { input: { note: 1 } })
  // @ts-expect-error this route takes no input
  await upload('plain', files, { input: { albumId: 'a' } })
  // @ts-expect-error there is no such route
  await upload('nobody', files)
}
