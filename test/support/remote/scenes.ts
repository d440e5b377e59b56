import type { CarcosaError } from '../../../src/shared/errors.ts'
import { person } from '../rest/organizations.ts'
import { asFile, asJob, asUpload } from './same.ts'
import { type Stage, word } from './stage.ts'

/** Does something, and returns what is to be the same in process and from elsewhere. */
export type Scene = (stage: Stage) => Promise<unknown>

const outcomes = (list: readonly { data: object | null; error: CarcosaError | null }[]) =>
  list.map(({ data, error }) => ({ data: asFile(data), error }))

/** A ticket has its place in a batch, even where it is alone. */
const unbatched = (file: object) => ({ ...file, batchId: '' })

/** What a call was refused with. */
export const refusal = (call: Promise<unknown>) =>
  call.then(
    () => 'nothing was refused',
    (error: unknown) => error,
  )

async function job({ world, file }: Stage) {
  const fileId = await file()
  await world.server.uploads.jobs.enqueue(null, 'upload.digest', { fileId })
  return fileId
}

/** A scene for each method of `SharedApi`. */
export const scenes: Readonly<Record<string, Scene>> = {
  async 'files.upload'({ api }) {
    const customId = word()
    const file = new File(['hello'], 'a.txt', { type: 'text/plain' })
    const tags = ['a', 'b']
    const said = { customId, tags, ownerId: 'ann', metadata: { a: 1 } }
    const plain = await api.files.upload(file, { route: 'mine', ...said })
    const unnamed = await api.files.upload('text', { route: 'mine' })
    const shown = await api.files.upload(new Uint8Array(9), {
      ...{ route: 'demo', acl: 'private', contentDisposition: 'attachment' },
    })
    const many = await api.files.upload(
      ['one', { body: new Blob(['two']), filename: 'two', ownerId: 'bob' }, 'three'],
      { route: 'mine', concurrency: 2 },
    )
    const streamed = await api.files.upload(new Blob(['streamed']).stream(), {
      ...{ route: 'mine', filename: 's.txt' },
    })
    const empty = await api.files.upload('', { route: 'mine', filename: 'empty' })
    return {
      one: [plain, unnamed, shown, streamed, empty].map(unbatched).map(asFile),
      many: many.map(({ data, error }) => [data && asFile(unbatched(data)), error]),
      taken: await refusal(api.files.upload('x', { route: 'mine', customId: 'taken' })),
      refused: [
        await refusal(api.files.upload('x', { route: 'none' })),
        await refusal(
          api.files.upload('no image', { route: 'image', type: 'text/plain' }),
        ),
        await refusal(
          api.files.upload('no image', { route: 'image', filename: 'a.png' }),
        ),
        await refusal(api.files.upload('x', { route: 'mine', size: 17 * 1024 * 1024 })),
        await refusal(api.files.upload('x', { route: 'mine', size: 2 })),
      ].map((error) => (error as CarcosaError).code),
    }
  },
  async 'files.uploadFromUrl'({ api, world, file }) {
    const { carcosa, port } = world.server
    const url = `http://127.0.0.1:${port}${await carcosa.api.files.sign(await file())}`
    const said = { route: 'mine', filename: 'b.txt', tags: ['fetched'] }
    const one = await api.files.uploadFromUrl(url, said)
    const two = await api.files.uploadFromUrl([url, { url: 'ftp://x', tags: [] }], said)
    return { one: asFile(one), two: outcomes(two) }
  },
  async 'files.list'({ api, world }) {
    const tag = word()
    const { files } = world.server.carcosa.api
    for (const filename of ['b.txt', 'a.txt', 'c.txt'])
      await files.upload('hello', { route: 'mine', filename, tags: [tag], ownerId: tag })
    const all = await api.files.list({ tag })
    const first = await api.files.list({ tag, limit: 2 })
    const cursor = first.nextCursor ?? ''
    const rest = await api.files.list({ tag, limit: 2, cursor })
    const named = await api.files.list({ prefix: 'a.', ownerId: tag })
    const states = await api.files.list({ tag, states: ['ready', 'stored'] })
    const late = await api.files.list({ tag, createdAfter: new Date(Date.now() + 9_000) })
    const pages = [all, first, rest, named, states, late]
    return pages.map((page) => ({ ...page, files: page.files.map(asFile) }))
  },
  async 'files.get'({ api, world, file }) {
    const id = await file()
    const customId = word()
    await world.server.carcosa.api.files.update(id, { customId })
    const found = await api.files.get(id)
    const custom = await api.files.get({ customId })
    const nothing = [await api.files.get('none'), await api.files.get({ customId: '?' })]
    const empty = await api.files.get('')
    return [asFile(found), asFile(custom), nothing, empty]
  },
  async 'files.update'({ api, file }) {
    const id = await file()
    const customId = `1/${word()}`
    const edited = await api.files.update(id, { tags: ['x'], acl: 'public-read' })
    const named = await api.files.update(id, { customId })
    const condition = { ifMatch: named.revision }
    const again = await api.files.update({ customId }, { customId: null }, condition)
    const late = await refusal(api.files.update(id, { tags: [] }, condition))
    const none = await refusal(api.files.update('none', { tags: [] }))
    return { files: [edited, again].map(asFile), late, none }
  },
  async 'files.updateMany'({ api, file }) {
    const list = [
      { file: await file(), tags: ['t'] },
      { file: 'none', tags: [] },
    ]
    return outcomes(await api.files.updateMany(list))
  },
  async 'files.rename'({ api, file }) {
    return asFile(await api.files.rename(await file(), 'né w.txt'))
  },
  async 'files.delete'({ api, file }) {
    const id = await file()
    return [await api.files.delete(id), await api.files.delete(id)]
  },
  async 'files.deleteMany'({ api, file }) {
    const id = await file()
    return api.files.deleteMany([id, 'none', { customId: 'none' }])
  },
  async 'files.restore'({ api, file }) {
    const id = await file()
    await api.files.delete(id)
    const restored = await api.files.restore(id, { customId: word() })
    return [
      asFile({ ...restored, customId: '' }),
      await refusal(api.files.restore('none')),
    ]
  },
  async 'files.sign'({ api, world, file }) {
    const url = await api.files.sign(await file(), { expiresIn: '5 min' })
    const path = url.replace(/^http:\/\/[^/]+/, '')
    const read = await fetch(`http://127.0.0.1:${world.server.port}${path}`)
    return [url, await read.text(), await refusal(api.files.sign('none'))]
  },
  'files.signMany': async ({ api, file }) =>
    api.files.signMany([await file(), 'none', await file()]),
  async 'files.url'({ api, file }) {
    const [open, closed] = [await file(), await file()]
    await api.files.update(open, { acl: 'public-read' })
    return [await api.files.url(open), await api.files.url(closed)]
  },

  async 'uploads.prepare'({ api }) {
    return api.uploads.prepare({ route: 'mine', size: 5, filename: 'a.txt' })
  },
  async 'uploads.list'({ api, upload }) {
    await upload()
    await upload()
    const { uploads, nextCursor } = await api.uploads.list({ route: 'private', limit: 1 })
    return { uploads: uploads.map(asUpload).map(unowned), nextCursor }
  },
  async 'uploads.get'({ api, upload, file }) {
    const found = asUpload(await api.uploads.get(await upload()))
    return [unowned(found), await api.uploads.get(await file())]
  },
  async 'uploads.cancel'({ api, upload }) {
    const id = await upload()
    return [await api.uploads.cancel(id), await api.uploads.cancel(id)]
  },

  async 'events.list'({ api, file }) {
    const topic = { file: await file() }
    const all = await api.events.list({ topic })
    const some = await api.events.list({ topic, limit: 1 })
    const after = some[0]?.id ?? 0
    const rest = await api.events.list({ topic, after, limit: 1_000 })
    return [all, some, rest].map((events) => events.map(unnumbered))
  },
  async 'events.subscribe'({ api, file }) {
    const topic = { file: await file() }
    const told: object[] = []
    const stop = new AbortController()
    const watching = { after: 0, signal: stop.signal }
    for await (const event of api.events.subscribe(topic, watching)) {
      told.push(unnumbered(event))
      if (told.length === 3) await api.files.delete(topic.file)
      if (event.type === 'file.removed') stop.abort()
    }
    return told
  },

  async 'keys.create'({ api }) {
    const scopes = { routes: ['mine'], actions: ['files.read'] }
    const made = await api.keys.create({
      ...{ name: 'k', mode: 'test', role: 'viewer', scopes, expiresIn: '2 days' },
    })
    return { ...made, createdBy: null }
  },
  async 'keys.list'({ api, world }) {
    await world.as({ name: 'listed' })
    return api.keys.list({ limit: 1 })
  },
  async 'keys.get'({ api, world }) {
    const { id } = await world.server.carcosa.api.keys.create({ name: 'k' })
    return [await api.keys.get(id), await api.keys.get('none'), await api.keys.get('')]
  },
  async 'keys.revoke'({ api, world }) {
    const { id } = await world.server.carcosa.api.keys.create({ name: 'k' })
    return [await api.keys.revoke(id), await api.keys.revoke(id)]
  },
  async 'keys.rotate'({ api, world }) {
    const { id } = await world.server.carcosa.api.keys.create({ name: 'k' })
    const rotated = await api.keys.rotate(id, { overlap: '1h' })
    return [rotated, await refusal(api.keys.rotate('none'))]
  },

  async 'usage.get'({ api }) {
    const { rows, bytes, files, ...rest } = await api.usage.get({ by: 'route' })
    return [rest, rows.map(({ name }) => name), typeof bytes, typeof files]
  },
  async 'usage.info'({ api }) {
    const { limitBytes, ...counts } = await api.usage.info()
    return [limitBytes, Object.keys(counts)]
  },
  async 'usage.quota'({ api }) {
    await api.usage.setQuota('default', { bytes: '10GB' })
    return limitsOf(await api.usage.quota())
  },
  async 'usage.setQuota'({ api }) {
    const set = await api.usage.setQuota('default', { files: 10_000 })
    const lifted = await api.usage.setQuota('default', null)
    const foreign = await refusal(api.usage.setQuota('nobody', null))
    const wrong = await refusal(api.usage.setQuota('default', { bytes: 'many' }))
    return [limitsOf(set), limitsOf(lifted), foreign, wrong]
  },

  async 'jobs.list'(stage) {
    const id = await job(stage)
    const found = await stage.api.jobs.list({ queue: 'upload.digest', limit: 1_000 })
    return found.filter(({ data }) => data.fileId === id).map(asJob)
  },
  async 'jobs.retry'(stage) {
    const id = await job(stage)
    const found = await stage.api.jobs.list({ queue: 'upload.digest', limit: 1_000 })
    const ids = found.filter(({ data }) => data.fileId === id).map((one) => one.id)
    return stage.api.jobs.retry({ ids })
  },

  async 'audit.list'({ api, world, file }) {
    const id = await file()
    await world.server.carcosa.api.files.rename(id, 'b.txt')
    return api.audit.list({ target: id, action: 'file.renamed' })
  },
  async 'audit.requests'({ api }) {
    const page = await api.audit.requests({ limit: 1, status: 204 })
    return [typeof page.nextCursor, Array.isArray(page.requests)]
  },

  async 'projects.create'({ as, organization }) {
    const { id: organizationId, ownerId } = await organization()
    const settings = { allowedRoutes: ['mine'], eventRetention: '1 day' }
    return as(ownerId).projects.create({ name: 'P', organizationId, settings })
  },
  async 'projects.list'(stage) {
    const { projects, made } = await project(stage)
    const { organizationId } = made
    const list = await projects.list({ organizationId, deleted: true })
    return [list, Array.isArray((await projects.list({ limit: 1 })).projects)]
  },
  async 'projects.get'(stage) {
    const { projects, made } = await project(stage)
    return [await projects.get(made.id), await stage.api.projects.get('none')]
  },
  async 'projects.update'(stage) {
    const { projects, made } = await project(stage)
    const condition = { ifUpdatedAt: made.updatedAt }
    const changed = await projects.update(made.id, { name: 'Q' }, condition)
    const late = await refusal(projects.update(made.id, { name: 'R' }, condition))
    return [changed, (late as CarcosaError).code]
  },
  async 'projects.delete'(stage) {
    const { projects, made } = await project(stage)
    return projects.delete(made.id)
  },
  async 'projects.restore'(stage) {
    const { projects, made } = await project(stage)
    await projects.delete(made.id)
    return projects.restore(made.id)
  },
  async 'projects.transfer'(stage) {
    const { projects, made, ownerId } = await project(stage)
    const { organizations } = stage.world.server.carcosa.api
    const { id } = await organizations.create({ name: 'To', ownerId })
    return projects.transfer(made.id, id)
  },

  async 'organizations.list'({ as, organization }) {
    const { ownerId } = await organization()
    const { organizations } = await as(ownerId).organizations.list({ limit: 500 })
    return organizations.length > 0
  },
  async 'organizations.get'({ as, organization }) {
    const { id, ownerId } = await organization()
    const { organizations } = as(ownerId)
    const { slug: _, ...found } = (await organizations.get(id)) ?? { slug: '' }
    return [found, await organizations.get('none')]
  },
  async 'organizations.update'({ as, organization }) {
    const { id, ownerId } = await organization()
    const { slug: _, ...changed } = await as(ownerId).organizations.update(id, {
      name: 'New',
    })
    return changed
  },
  async 'organizations.delete'({ api, as, organization }) {
    const { id, ownerId } = await organization()
    const isDeleted = await as(ownerId).organizations.delete(id)
    return [isDeleted, await api.organizations.delete(id)]
  },
  async 'members.get'({ as, organization }) {
    const { id, ownerId, userId } = await organization()
    const { members } = as(ownerId)
    return [unmailed(await members.get(id, userId)), await members.get(id, 'none')]
  },
  async 'members.list'({ as, organization }) {
    const { id, ownerId } = await organization()
    const { members, nextCursor } = await as(ownerId).members.list({ organizationId: id })
    return [members.map(unmailed), nextCursor]
  },
  async 'members.setRole'({ as, organization }) {
    const { id, ownerId, userId } = await organization()
    const { members } = as(ownerId)
    const changed = await members.setRole(id, userId, 'viewer', { ifRole: 'member' })
    const last = await refusal(members.setRole(id, ownerId, 'viewer'))
    return [unmailed(changed), last]
  },
  async 'members.remove'({ as, organization }) {
    const { id, ownerId, userId } = await organization()
    const { members } = as(ownerId)
    return [await members.remove(id, userId), await members.remove(id, userId)]
  },
  async 'invitations.list'({ as, organization, world }) {
    const { id: organizationId, ownerId: inviterId } = await organization()
    const { email } = await person(world)
    const { invitations } = world.server.carcosa.api
    await invitations.create({ organizationId, inviterId, email })
    const list = await as(inviterId).invitations.list({ organizationId })
    return list.invitations.map((one) => ({ ...one, email: '' }))
  },
  async 'teams.create'({ as, organization }) {
    const { id: organizationId, ownerId } = await organization()
    return as(ownerId).teams.create({ organizationId, name: 'Team' })
  },
  async 'teams.list'({ as, organization }) {
    const { id: organizationId, ownerId } = await organization()
    const { teams } = as(ownerId)
    await teams.create({ organizationId, name: 'Team' })
    return teams.list({ organizationId })
  },
}

async function project({ as, organization }: Stage) {
  const { id: organizationId, ownerId } = await organization()
  const { projects } = as(ownerId)
  const made = await projects.create({ name: 'P', organizationId })
  return { projects, ownerId, made: { ...made, organizationId } }
}

const unowned = (upload: object | null) => ({ ...upload, ownerId: '' })
const unmailed = (member: object | null) => ({ ...member, email: '' })

function unnumbered({ type, data }: { type: string; data: object }) {
  return { type, data }
}

function limitsOf(quota: object | null) {
  const { bytes, files, perOwner } = (quota ?? {}) as Record<string, unknown>
  return { bytes, files, perOwner }
}
