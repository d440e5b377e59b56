/**
 * A program that has the key of a Carcosa elsewhere: it files a report under a name of its own,
 * replaces the one of the same day, and passes on a link.
 *
 *   export CARCOSA_API_KEY=$(npx carcosa keys create archive --role developer)
 *   npx node examples/remote/archive.ts report.csv
 */
import { openAsBlob } from 'node:fs'
import { basename } from 'node:path'
import { CarcosaError, createRemoteApi, type SharedApi } from 'carcosa/remote'

/** Works with `carcosa.api` too. */
export async function archive({ files }: SharedApi, path: string, day: string) {
  const customId = `report ${day}`
  await files.delete({ customId })
  const report = await files.upload(await openAsBlob(path), {
    ...{ route: 'report', filename: basename(path), customId, tags: ['report'] },
    metadata: { by: 'the archive' },
  })
  return files.sign(report.id, { expiresIn: '7 days' })
}

if (process.argv[1] === import.meta.filename) {
  const [path = ''] = process.argv.slice(2)
  const url = process.env.URL ?? 'http://127.0.0.1:8080'
  const api = createRemoteApi({ url, apiKey: process.env.CARCOSA_API_KEY ?? '' })
  try {
    console.log(await archive(api, path, new Date().toISOString().slice(0, 10)))
  } catch (error) {
    if (!(error instanceof CarcosaError)) throw error
    console.error(`${error.code}: ${error.message}`)
    process.exitCode = 1
  }
}
