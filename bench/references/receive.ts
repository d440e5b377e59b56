import { randomUUID } from 'node:crypto'
import type { IncomingMessage } from 'node:http'
import { basename, join } from 'node:path'
import { type Handler, uploadsPath } from './reference.ts'

/**
 * The smallest HTTP around a way of writing: the body of any request becomes one file.
 * `POST` names the file itself and says where it is, as a tus creation does; any other
 * method writes the file its path names.
 */
export function receive(
  directory: string,
  write: (req: IncomingMessage, path: string) => Promise<void>,
): Handler {
  return async (req, res) => {
    const creates = req.method === 'POST'
    const id = creates ? randomUUID() : basename(req.url ?? '')
    try {
      await write(req, join(directory, id))
    } catch (error) {
      res.writeHead(500).end(String(error))
      return
    }
    if (creates) res.setHeader('location', `${uploadsPath}/${id}`)
    res.writeHead(creates ? 201 : 204).end()
  }
}
