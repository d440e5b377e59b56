import { eventually, openRaw, type RawConnection } from './raw-http.ts'
import { offsetStream } from './records.ts'
import type { TestServer } from './server.ts'

/** Begins a PATCH of `size` bytes at `server` of which `sent` arrives, and nothing more. */
export async function stalledPatch(
  server: TestServer,
  url: string,
  { size, sent }: { size: number; sent: Buffer },
): Promise<RawConnection> {
  const raw = await openRaw(server.port)
  raw.ask('PATCH', url, {
    'Upload-Offset': '0',
    'Content-Type': offsetStream,
    'Content-Length': String(size),
  })
  raw.write(sent)
  await eventually(
    () => server.row(url),
    ({ offset }) => offset === sent.length,
  )
  return raw
}
