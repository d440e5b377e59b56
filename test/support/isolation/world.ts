import { createSecretKey } from 'node:crypto'
import { SignJWT } from 'jose'
import { insertSession } from '../../../src/accounts/session-rows.ts'
import { createSessionTokens } from '../../../src/accounts/session-token.ts'
import { apiKeys } from '../../../src/auth/api-keys.ts'
import { jwt } from '../../../src/auth/jwt.ts'
import type { NewApiKey } from '../../../src/auth/keys.ts'
import { session } from '../../../src/auth/session.ts'
import type { CarcosaOptions } from '../../../src/config.ts'
import { newId } from '../../../src/shared/ids.ts'
import { created } from '../records.ts'
import { startServer, type TestServer } from '../server.ts'

/** An organization with its owner and its projects. */
export interface Tenant {
  readonly id: string
  readonly ownerId: string
  readonly projects: readonly string[]
}

/** Where something is, and whose it is. */
export interface Place {
  readonly organizationId: string
  readonly projectId: string
  readonly ownerId: string
  readonly route: string
}

/** Three organizations that know nothing of each other: A with two projects, B and C with one. */
export interface IsolationWorld {
  readonly server: TestServer
  readonly a: Tenant
  readonly b: Tenant
  readonly c: Tenant
  /** Somebody with an account, in no organization. */
  user(): Promise<string>
  member(tenant: Tenant, role: string): Promise<string>
  /** Signs somebody in; in a project if one is named. */
  signIn(userId: string, projectId?: string): Promise<Record<string, string>>
  key(more?: Partial<NewApiKey>): Promise<{ id: string; headers: Record<string, string> }>
  /** A token of an application that shares a secret with the server. */
  token(claims: Record<string, unknown>): Promise<Record<string, string>>
  file(place: Place, more?: { customId?: string }): Promise<string>
  /** With two of its five bytes. */
  upload(place: Place): Promise<string>
}

const secret = 'a-secret-that-this-test-and-its-server-share'
export const audience = 'carcosa'

const tokens = jwt({
  ...{ secret, issuer: null, audience },
  principal: ({ sub = '', role, project }) => ({
    ...{ id: sub, kind: 'user' },
    ...(typeof role === 'string' && { role }),
    ...(typeof project === 'string' && { projectId: project }),
  }),
})

export async function isolationWorld(
  options: Partial<CarcosaOptions> = {},
): Promise<IsolationWorld> {
  const server = await startServer({
    ...{ secret, accounts: { signUp: 'open', verifyEmail: false, mailer: () => {} } },
    auth: [session(), apiKeys(), tokens],
    roles: { auditor: ['audit.read', 'files.read.own'] },
    deleteGrace: '1 hour',
    outboundNetworks: ['loopback'],
    rateLimits: false,
    ...options,
  })
  const { api } = server.carcosa
  const { prisma } = server.uploads.db
  const sessions = createSessionTokens([secret])

  async function user(): Promise<string> {
    const id = `user_${newId()}`
    const email = `${newId().toLowerCase()}@example.com`
    await prisma.user.create({ data: { id, email, name: 'Ann', emailVerified: true } })
    return id
  }

  async function tenant(name: string, count: number): Promise<Tenant> {
    const ownerId = await user()
    const { id } = await api.organizations.create({ name, ownerId })
    const projects: string[] = []
    for (let i = 1; i <= count; i++) {
      const made = await api.projects.create({ name: `${name}${i}`, organizationId: id })
      projects.push(made.id)
    }
    return { id, ownerId, projects }
  }

  const world: IsolationWorld = {
    server,
    a: await tenant('A', 2),
    b: await tenant('B', 1),
    c: await tenant('C', 1),
    user,
    async member({ id: organizationId }, role) {
      const userId = await user()
      await api.members.add({ organizationId, userId, role })
      return userId
    },
    async signIn(userId, projectId) {
      const token = newId()
      const place = { ipAddress: null, userAgent: null }
      const made = { id: `ses_${newId()}`, token, userId, seconds: 3_600, ...place }
      if (!(await insertSession(server.uploads.db, made))) throw new Error(userId)
      return {
        Authorization: `Bearer ${sessions.seal(token)}`,
        ...(projectId !== undefined && { 'Carcosa-Project': projectId }),
      }
    },
    async key(more = {}) {
      const { id, token } = await api.keys.create({ name: 'key', role: 'owner', ...more })
      return { id, headers: { Authorization: `Bearer ${token}` } }
    },
    async token(claims) {
      const made = new SignJWT({ aud: audience, exp: later(3_600), ...claims })
      const key = createSecretKey(Buffer.from(secret))
      const text = await made.setProtectedHeader({ alg: 'HS256' }).sign(key)
      return { Authorization: `Bearer ${text}` }
    },
    async file({ projectId, ownerId, route }, { customId } = {}) {
      const named = { route, filename: 'a.txt', ownerId }
      const { id } = await api.files.upload('hello', named)
      await prisma.file.update({
        where: { id },
        data: { projectId, ...(customId !== undefined && { customId }) },
      })
      return id
    },
    async upload({ projectId, ownerId, route }) {
      const url = await created(server.doors.http, {
        ...{ route: 'private', length: 5, bytes: 'he' },
      })
      const id = url.split('/').pop() ?? ''
      await prisma.file.update({ where: { id }, data: { projectId, ownerId, route } })
      return id
    },
  }
  return world
}

export const later = (seconds: number) => Math.floor(Date.now() / 1_000) + seconds

/** The first project of a tenant. */
export function firstOf({ projects }: Tenant): string {
  const [first] = projects
  if (!first) throw new TypeError('a tenant has a project')
  return first
}
