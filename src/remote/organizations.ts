import type { Invitation } from '../accounts/invitation-rows.ts'
import type { Member } from '../api/members.ts'
import type { Organization } from '../api/organizations.ts'
import type { Team } from '../api/teams.ts'
import type { Project } from '../projects/project.ts'
import { parseDuration } from '../shared/durations.ts'
import type { RemoteApi, RemoteProjects } from './api.ts'
import { secondsOf } from './files.ts'
import { change, find, remove, unchangedSince } from './find.ts'
import { revive, revivePage } from './revive.ts'
import { type Json, pathOf, type Transport } from './transport.ts'

/** Organizations and all that is in them. */

const times = ['createdAt', 'updatedAt']

export function createOrganizations(transport: Transport): RemoteApi['organizations'] {
  const { ask } = transport
  const missing = 'ORGANIZATION_NOT_FOUND'
  const one = (json: Json) => revive<Organization>(json, times)
  return {
    async list(query = {}) {
      const { json } = await ask({
        method: 'GET',
        path: '/organizations',
        query,
      })
      return revivePage(json, 'organizations', times)
    },
    async get(id) {
      if (id === '') return null
      const asked = { method: 'GET', path: pathOf`/organizations/${id}` } as const
      const answer = await find(transport, asked, missing)
      return answer && one(answer.json)
    },
    create: async (body) =>
      one((await ask({ method: 'POST', path: '/organizations', body })).json),
    async update(id, body, { ifUpdatedAt } = {}) {
      const isExpected = unchangedSince(ifUpdatedAt)
      const path = pathOf`/organizations/${id}`
      return one((await change(transport, { path, body, isExpected })).json)
    },
    delete: async (id) =>
      id !== '' && remove(transport, pathOf`/organizations/${id}`, missing),
  }
}

export function createMembers(transport: Transport): RemoteApi['members'] {
  const missing = 'MEMBER_NOT_FOUND'
  const one = (json: Json) => revive<Member>(json, times)
  const placeOf = (organizationId: string, userId: string) =>
    pathOf`/organizations/${organizationId}/members/${userId}`
  return {
    async list({ organizationId, ...query }) {
      const path = pathOf`/organizations/${organizationId}/members`
      const { json } = await transport.ask({ method: 'GET', path, query })
      return revivePage(json, 'members', times)
    },
    async get(organizationId, userId) {
      if (organizationId === '' || userId === '') return null
      const path = placeOf(organizationId, userId)
      const answer = await find(transport, { method: 'GET', path }, missing)
      return answer && one(answer.json)
    },
    async setRole(organizationId, userId, role, { ifRole } = {}) {
      const path = placeOf(organizationId, userId)
      const isExpected =
        ifRole === undefined ? undefined : (now: Json) => now.role === ifRole
      const body = { role }
      return one((await change(transport, { path, body, isExpected })).json)
    },
    remove: async (organizationId, userId) =>
      remove(transport, placeOf(organizationId, userId), missing),
  }
}

const invitationTimes = ['createdAt', 'expiresAt']

export function createInvitations({ ask }: Transport): RemoteApi['invitations'] {
  const one = (json: Json) => revive<Invitation>(json, invitationTimes)
  return {
    async list({ organizationId, ...query }) {
      const path = pathOf`/organizations/${organizationId}/invitations`
      const { json } = await ask({ method: 'GET', path, query })
      return revivePage(json, 'invitations', invitationTimes)
    },
    async create({ organizationId, expiresIn, ...invitation }) {
      const path = pathOf`/organizations/${organizationId}/invitations`
      const lasting = expiresIn !== undefined && { expiresIn: secondsOf(expiresIn) }
      const body = { ...invitation, ...lasting }
      return one((await ask({ method: 'POST', path, body })).json)
    },
    async accept(id) {
      const path = pathOf`/invitations/${id}/accept`
      return one((await ask({ method: 'POST', path })).json)
    },
  }
}

export function createTeams({ ask }: Transport): RemoteApi['teams'] {
  return {
    async list({ organizationId, ...query }) {
      const path = pathOf`/organizations/${organizationId}/teams`
      const { json } = await ask({ method: 'GET', path, query })
      return revivePage(json, 'teams', times)
    },
    async create({ organizationId, name }) {
      const path = pathOf`/organizations/${organizationId}/teams`
      const { json } = await ask({ method: 'POST', path, body: { name } })
      return revive<Team>(json, times)
    },
  }
}

export function createProjects(transport: Transport): RemoteProjects {
  const { ask } = transport
  const projectTimes = [...times, 'deletedAt', 'deleteAfter']
  const one = (json: Json) => revive<Project>(json, projectTimes)
  return {
    async list({ organizationId, ...query } = {}) {
      const path =
        organizationId === undefined
          ? '/projects'
          : pathOf`/organizations/${organizationId}/projects`
      const { json } = await ask({ method: 'GET', path, query })
      return revivePage(json, 'projects', projectTimes)
    },
    async get(id) {
      if (id === '') return null
      const asked = { method: 'GET', path: pathOf`/projects/${id}` } as const
      const answer = await find(transport, asked, 'PROJECT_NOT_FOUND')
      return answer && one(answer.json)
    },
    async create({ organizationId, ...project }) {
      const path = pathOf`/organizations/${organizationId}/projects`
      return one((await ask({ method: 'POST', path, body: inMs(project) })).json)
    },
    async update(id, changes, { ifUpdatedAt } = {}) {
      const isExpected = unchangedSince(ifUpdatedAt)
      const asked = { path: pathOf`/projects/${id}`, body: inMs(changes), isExpected }
      return one((await change(transport, asked)).json)
    },
    // It is there until its grace period is over, so it can be deleted again.
    delete: async (id) =>
      one((await ask({ method: 'DELETE', path: pathOf`/projects/${id}` })).json),
    restore: async (id) =>
      one((await ask({ method: 'POST', path: pathOf`/projects/${id}/restore` })).json),
    async transfer(id, organizationId) {
      const path = pathOf`/projects/${id}/transfer`
      await ask({ method: 'POST', path, body: { organizationId } })
    },
  }
}

/** Settings may have a duration as text; REST takes milliseconds. */
function inMs<Wanted extends { settings?: { eventRetention?: number | string | null } }>(
  wanted: Wanted,
) {
  const given = wanted.settings?.eventRetention
  if (typeof given !== 'string') return wanted
  const settings = { ...wanted.settings, eventRetention: parseDuration(given) }
  return { ...wanted, settings }
}
