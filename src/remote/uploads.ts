import type { RemoteUpload, RemoteUploads } from './api.ts'
import { unintelligible } from './failure.ts'
import { find, remove } from './find.ts'
import { revive, revivePage } from './revive.ts'
import { type Json, pathOf, type Transport } from './transport.ts'

const times = ['createdAt', 'updatedAt', 'expiresAt']
const missing = 'UPLOAD_NOT_FOUND'

export function createUploads(transport: Transport): RemoteUploads {
  const { ask } = transport
  return {
    async prepare(upload) {
      const body = { ownerId: null, ...upload }
      const { json } = await ask({ method: 'POST', path: '/uploads', body })
      const expiresAt = new Date(String(json.expiresAt))
      return { route: upload.route, ticket: ticketIn(json), expiresAt }
    },
    async list({ ownerId, ...filters } = {}) {
      const query = { ...filters, owner: ownerId }
      const { json } = await ask({ method: 'GET', path: '/uploads', query })
      return revivePage(json, 'uploads', times)
    },
    async get(id) {
      if (id === '') return null
      const asked = { method: 'GET', path: pathOf`/uploads/${id}` } as const
      const answer = await find(transport, asked, missing)
      return answer && revive<RemoteUpload>(answer.json, times)
    },
    cancel: async (id) => id !== '' && remove(transport, pathOf`/uploads/${id}`, missing),
  }
}

/** The ticket of an answer. */
export function ticketIn({ ticket }: Json): string {
  if (typeof ticket === 'string') return ticket
  throw unintelligible('it has no ticket')
}
