import { createReadStream } from 'node:fs'
import { readdir, stat } from 'node:fs/promises'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { extname, join, relative, sep } from 'node:path'
import { pipeline } from 'node:stream'
import { CarcosaError } from '../../shared/errors.ts'

/** Answers a request for a static file and says so; false if it is not for one. */
export type Page = (request: IncomingMessage, response: ServerResponse) => boolean

const types: Record<string, string> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.mjs': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.json': 'application/json',
  '.map': 'application/json',
  '.webmanifest': 'application/manifest+json',
  '.txt': 'text/plain; charset=utf-8',
  '.svg': 'image/svg+xml',
  '.png': 'image/png',
  '.jpg': 'image/jpeg',
  '.webp': 'image/webp',
  '.ico': 'image/x-icon',
  '.woff2': 'font/woff2',
}

const headers = {
  'x-content-type-options': 'nosniff',
  'referrer-policy': 'no-referrer',
  // Uploads and their results may be shown; scripts and styles come from the page alone.
  'content-security-policy':
    "default-src 'self'; img-src 'self' blob: data:; media-src 'self' blob:; object-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
  // The page belongs to the version of the server that is running.
  'cache-control': 'no-cache',
}

/**
 * Serves the files that are in `directory` now, `index.html` for the directory itself.
 *
 * Paths are looked up in a list made at start and never handed to the file system, so there
 * is nothing to escape from. Hidden files, and links wherever they lead, are not on it.
 * Throws CONFIG_INVALID for a directory that cannot be read or has no index.html.
 */
export async function servePage(directory: string, basePath = ''): Promise<Page> {
  const files = await listFiles(directory)
  const index = files.get('/index.html')
  if (!index) throw unusable(directory, 'it has no index.html')
  files.set('/', index)
  return (request, response) => {
    if (request.method !== 'GET' && request.method !== 'HEAD') return false
    const [path = ''] = (request.url ?? '').split('?', 1)
    if (!path.startsWith(`${basePath}/`)) return false
    const file = files.get(path.slice(basePath.length))
    if (file === undefined) return false
    void send(request, response, file)
    return true
  }
}

async function listFiles(directory: string): Promise<Map<string, string>> {
  try {
    const entries = await readdir(directory, { withFileTypes: true, recursive: true })
    const paths = entries
      .filter((entry) => entry.isFile())
      .map((entry) => join(entry.parentPath, entry.name))
    const named = paths.map((path) => [urlPath(relative(directory, path)), path] as const)
    return new Map(named.filter(([name]) => !name.includes('/.')))
  } catch (error) {
    throw unusable(
      directory,
      error instanceof Error ? error.message : String(error),
      error,
    )
  }
}

function urlPath(file: string): string {
  return `/${file.split(sep).map(encodeURIComponent).join('/')}`
}

async function send(request: IncomingMessage, response: ServerResponse, file: string) {
  const found = await stat(file).catch(() => null)
  if (!found) {
    response.writeHead(404).end()
    return
  }
  const etag = `"${found.size.toString(36)}-${Math.floor(found.mtimeMs).toString(36)}"`
  const known = { ...headers, etag }
  if (request.headers['if-none-match'] === etag) {
    response.writeHead(304, known).end()
    return
  }
  response.writeHead(200, {
    ...known,
    'content-type': types[extname(file)] ?? 'application/octet-stream',
    'content-length': found.size,
  })
  if (request.method === 'HEAD') response.end()
  // A client that leaves in the middle is nobody's mistake.
  else pipeline(createReadStream(file), response, () => {})
}

function unusable(directory: string, reason: string, cause?: unknown): CarcosaError {
  return new CarcosaError('CONFIG_INVALID', {
    message: `The page directory ${directory} cannot be served: ${reason}.`,
    cause,
  })
}
