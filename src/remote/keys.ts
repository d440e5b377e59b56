import type { ApiKey, ApiKeyWithToken } from '../auth/keys.ts'
import type { RemoteKeys } from './api.ts'
import { secondsOf } from './files.ts'
import { find } from './find.ts'
import { revive, revivePage } from './revive.ts'
import { pathOf, type Transport } from './transport.ts'

const times = [
  ...['createdAt', 'rotatedAt', 'overlapUntil', 'expiresAt', 'revokedAt', 'lastUsedAt'],
]

export function createKeys(transport: Transport): RemoteKeys {
  const { ask } = transport
  const get: RemoteKeys['get'] = async (id) => {
    if (id === '') return null
    const asked = { method: 'GET', path: pathOf`/api-keys/${id}` } as const
    const answer = await find(transport, asked, 'KEY_NOT_FOUND')
    return answer && revive<ApiKey>(answer.json, times)
  }
  return {
    async create({ expiresIn, ...key }) {
      const lasting = expiresIn !== undefined && { expiresIn: secondsOf(expiresIn) }
      const body = { ...key, ...lasting }
      const { json } = await ask({ method: 'POST', path: '/api-keys', body })
      return revive<ApiKeyWithToken>(json, times)
    },
    async list(query = {}) {
      const { json } = await ask({ method: 'GET', path: '/api-keys', query })
      return revivePage(json, 'keys', times)
    },
    get,
    async revoke(id) {
      // The server answers the same whether there was anything left to revoke.
      const found = await get(id)
      if (!found || found.revokedAt) return false
      await ask({ method: 'DELETE', path: pathOf`/api-keys/${id}` })
      return true
    },
    async rotate(id, { overlap = '24h' } = {}) {
      const body = { overlap: secondsOf(overlap) }
      const path = pathOf`/api-keys/${id}/rotate`
      const { json } = await ask({ method: 'POST', path, body })
      return revive<ApiKeyWithToken>(json, times)
    },
  }
}
