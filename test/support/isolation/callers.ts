import { newId } from '../../../src/shared/ids.ts'
import { firstOf, type IsolationWorld, later, type Place } from './world.ts'

/** Somebody who asks. */
export interface Caller {
  readonly headers: Record<string, string>
  /** Where they act, and what is made there is theirs. */
  readonly place: Place
}

type MakeCaller = (world: IsolationWorld) => Promise<Caller>

/** A member of A by a session, in its first project. */
const memberOfA =
  (role: string): MakeCaller =>
  async (world) => {
    const ownerId = await world.member(world.a, role)
    return {
      headers: await world.signIn(ownerId, firstOf(world.a)),
      place: inA(world, ownerId),
    }
  }

function inA({ a }: IsolationWorld, ownerId: string): Place {
  return { organizationId: a.id, projectId: firstOf(a), ownerId, route: 'mine' }
}

const keyOf =
  (scopes?: { routes?: string[]; actions?: string[] }): MakeCaller =>
  async (world) => {
    const projectId = firstOf(world.a)
    const { id, headers } = await world.key({ projectId, ...(scopes && { scopes }) })
    const route = scopes?.routes?.[0] ?? 'mine'
    return { headers, place: { ...inA(world, id), route } }
  }

const tokenOf =
  (claims: Record<string, unknown> = {}): MakeCaller =>
  async (world) => {
    const sub = newId()
    const usual = { sub, role: 'member', project: firstOf(world.a) }
    const headers = await world.token({ ...usual, ...claims })
    return { headers, place: inA(world, sub) }
  }

/** Who is somebody: each has a column of its name in the table. */
export const callers: Readonly<Record<string, MakeCaller>> = {
  owner: memberOfA('owner'),
  admin: memberOfA('admin'),
  devel: memberOfA('developer'),
  membr: memberOfA('member'),
  viewr: memberOfA('viewer'),
  billg: memberOfA('billing'),
  /** A role of the option `roles`: it reads the audit log, and files of its own. */
  audit: memberOfA('auditor'),
  /** An owner of A who acts in its other project. */
  async siblg(world) {
    const [, projectId = ''] = world.a.projects
    const ownerId = await world.member(world.a, 'owner')
    const place = { ...inA(world, ownerId), projectId }
    return { headers: await world.signIn(ownerId, projectId), place }
  },
  /** The owner of B. */
  async strng(world) {
    const { id: organizationId, ownerId } = world.b
    const projectId = firstOf(world.b)
    const place = { organizationId, projectId, ownerId, route: 'mine' }
    return { headers: await world.signIn(ownerId, projectId), place }
  },
  /** Signed in, and in no organization. */
  async outsd(world) {
    const ownerId = await world.user()
    return { headers: await world.signIn(ownerId), place: inA(world, ownerId) }
  },
  /** A key that may everything in its project. */
  key: keyOf(),
  readr: keyOf({ actions: ['files.read'] }),
  /** A key that may everything, on the route `demo`. */
  routd: keyOf({ routes: ['demo'] }),
  /** A member by what a token of the application says. */
  jwt: tokenOf(),
  /** Without any credential. */
  nobdy: async (world) => ({ headers: {}, place: inA(world, newId()) }),
}

/** Whose credential is worth nothing any more, or never was: whatever they ask for is 401. */
export const refused: Readonly<Record<string, MakeCaller>> = {
  'a session that was ended': async (world) => {
    const caller = await memberOfA('owner')(world)
    await world.server.carcosa.api.users.revokeSessions(caller.place.ownerId)
    return caller
  },
  'a user who was disabled': async (world) => {
    const caller = await memberOfA('owner')(world)
    await world.server.carcosa.api.users.disable(caller.place.ownerId)
    return caller
  },
  'a key that expired': async (world) => {
    const { id, headers } = await world.key({ projectId: firstOf(world.a), expiresIn: 1 })
    return { headers, place: inA(world, id) }
  },
  'a key that was revoked': async (world) => {
    const caller = await keyOf()(world)
    await world.server.carcosa.api.keys.revoke(caller.place.ownerId)
    return caller
  },
  'a token that expired': tokenOf({ exp: later(-3_600) }),
  'a token for somebody else': tokenOf({ aud: 'another' }),
  'a token of somebody else': async (world) => {
    const caller = await tokenOf()(world)
    const { Authorization = '' } = caller.headers
    const [head, , signature] = Authorization.split('.')
    const claims = { sub: 'eve', aud: 'carcosa', exp: later(3_600), role: 'owner' }
    const middle = Buffer.from(JSON.stringify(claims)).toString('base64url')
    return { ...caller, headers: { Authorization: `${head}.${middle}.${signature}` } }
  },
}

/** Who was taken out of A while signed in: there is no such project for them, whatever they ask. */
export const removed: MakeCaller = async (world) => {
  const caller = await memberOfA('owner')(world)
  await world.server.carcosa.api.members.remove(world.a.id, caller.place.ownerId)
  return caller
}
