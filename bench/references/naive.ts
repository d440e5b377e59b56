import { createWriteStream } from 'node:fs'
import { pipeline } from 'node:stream/promises'
import { receive } from './receive.ts'
import type { Reference } from './reference.ts'

/** What everyone writes first: `pipeline(req, fs.createWriteStream(path))`. */
export const naive: Reference = (directory) =>
  receive(directory, (req, path) => pipeline(req, createWriteStream(path)))
