import { CarcosaError } from '../shared/errors.ts'
import { parseQuota } from '../shared/quota.ts'
import type { Quota } from '../usage/quota-rows.ts'
import type { UsageReport } from '../usage/report.ts'
import type { Me, RemoteAudit, RemoteJob, RemoteJobs, SharedApi } from './api.ts'
import { revive, revivePage } from './revive.ts'
import type { Json, Transport } from './transport.ts'

/** What an operator asks for: usage, jobs, logs, and who one is. */

export function createUsage({ ask }: Transport): SharedApi['usage'] {
  const get: SharedApi['usage']['get'] = async (query = {}) => {
    const { json } = await ask({ method: 'GET', path: '/usage', query })
    return revive<UsageReport>(json, [])
  }
  return {
    get,
    async info() {
      const { bytes, files, quota } = await get()
      const limitBytes = quota?.bytes ?? null
      return { totalBytes: bytes, appTotalBytes: bytes, filesUploaded: files, limitBytes }
    },
    quota: async () => (await get()).quota,
    async setQuota(projectId, quota) {
      const { bytes, files, perOwner } = limitsOf(quota)
      const own = (await ask({ method: 'GET', path: '/me' })).json.projectId
      if (projectId !== own) {
        throw new CarcosaError('PROJECT_NOT_FOUND', {
          message: 'The quota that can be set is that of the project of the credential.',
        })
      }
      const body = quota === null ? {} : { bytes, files, perOwner }
      const { json } = await ask({ method: 'PUT', path: '/usage/quota', body })
      return revive<Quota>(json, [])
    },
  }
}

function limitsOf(quota: unknown) {
  try {
    return parseQuota(quota)
  } catch (cause) {
    const message = cause instanceof Error ? cause.message : String(cause)
    throw new CarcosaError('BAD_REQUEST', { message, cause })
  }
}

export function createJobs({ ask }: Transport): RemoteJobs {
  return {
    async list(query = {}) {
      const { json } = await ask({ method: 'GET', path: '/jobs', query })
      const times = ['createdAt', 'nextAt', 'diedAt']
      const { jobs } = revivePage<{ jobs: (RemoteJob & { fileId: string })[] }>(
        json,
        'jobs',
        times,
      )
      return jobs.map(({ fileId, ...job }) => ({ ...job, data: { fileId } }))
    },
    async retry({ ids }) {
      if (ids.length === 0) return 0
      const body = { ids }
      const { json } = await ask({ method: 'POST', path: '/jobs/retry', body })
      return Number(json.retried)
    },
  }
}

export function createAudit({ ask }: Transport): RemoteAudit {
  return {
    async list(query = {}) {
      const { json } = await ask({ method: 'GET', path: '/audit', query })
      return revivePage(json, 'entries', ['at'])
    },
    async requests(query = {}) {
      const path = '/audit/requests'
      const { json } = await ask({ method: 'GET', path, query })
      return revivePage(json, 'requests', ['at'])
    },
  }
}

export function createMe({ ask }: Transport): { get(): Promise<Me> } {
  return {
    get: async () => revive<Me>((await ask({ method: 'GET', path: '/me' })).json, []),
  }
}

export function createSettings({ ask }: Transport): { get(): Promise<Json> } {
  return { get: async () => (await ask({ method: 'GET', path: '/settings' })).json }
}
