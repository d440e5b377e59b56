import { createReadStream, createWriteStream } from 'node:fs'
import { stat } from 'node:fs/promises'
import { basename, join } from 'node:path'
import { pipeline } from 'node:stream/promises'
import { receive } from './receive.ts'
import type { Reference } from './reference.ts'

/**
 * What everyone writes first: `pipeline(req, fs.createWriteStream(path))`, and the other way
 * around for `GET`.
 */
export const naive: Reference = (directory) => {
  const take = receive(directory, (req, path) => pipeline(req, createWriteStream(path)))
  return async (req, res) => {
    if (req.method !== 'GET') return take(req, res)
    const path = join(directory, basename(req.url ?? ''))
    res.setHeader('content-length', (await stat(path)).size)
    await pipeline(createReadStream(path), res).catch(() => undefined)
  }
}
