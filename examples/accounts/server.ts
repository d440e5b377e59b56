/**
 * An application whose people are Carcosa's: an owner invites, who is invited signs up and uploads,
 * and everybody sees what is theirs.
 *
 *   npx node examples/accounts/server.ts
 *
 * Open the link it prints; then invite somebody with POST /api/v1/organizations/:id/invitations.
 */
import { once } from 'node:events'
import { createServer, type IncomingMessage } from 'node:http'
import { type CarcosaOptions, createCarcosa, createRouter, route } from 'carcosa'

// Not public: whoever is not signed in, or only a viewer, is refused before this runs.
const router = createRouter({
  paper: route({ pdf: { maxFileSize: '20MB' }, text: { maxFileSize: '1MB' } }).middleware(
    ({ principal }) => ({ uploadedBy: principal.id }),
  ),
})

export async function start(port: number, options?: Partial<CarcosaOptions>) {
  const carcosa = await createCarcosa({
    router,
    accounts: {
      signUp: 'invited',
      // Here goes what sends your mail, such as transport.sendMail({ to, subject, text }).
      mailer: ({ to, subject, text }) => console.log(`To ${to}: ${subject}\n${text}`),
    },
    ...options,
  })

  /** Who is signed in, by the cookie or the bearer token that a request brings along. */
  async function userOf({ headers }: IncomingMessage) {
    const { cookie = '', authorization = '' } = headers
    const request = new Request('http://localhost/auth/session', {
      headers: { cookie, ...(authorization && { authorization }) },
    })
    const answer = await carcosa.fetch(request)
    if (!answer.ok) return null
    const { user } = (await answer.json()) as { user: { id: string; name: string } }
    return user
  }

  const server = createServer({ requestTimeout: 0 }, async (req, res) => {
    if (req.url !== '/mine') return carcosa.handler(req, res)
    const user = await userOf(req)
    if (!user) return res.writeHead(303, { Location: '/auth/sign-in?next=/mine' }).end()
    const { files } = await carcosa.api.files.list({ ownerId: user.id })
    const links = files.map((file) => ({
      name: file.filename,
      url: carcosa.api.files.link(file),
    }))
    res.setHeader('Content-Type', 'application/json')
    res.end(JSON.stringify({ name: user.name, files: links }))
  })
  server.on('checkContinue', carcosa.checkContinue)
  server.listen(port, '127.0.0.1')
  await once(server, 'listening')

  // On an empty database, and once: the link signs in and asks for a password.
  const owner = await carcosa.api.users.createOwner()
  return { server, carcosa, owner }
}

if (process.argv[1] === import.meta.filename) {
  const port = Number(process.env.PORT ?? 8080)
  // Links in mails begin with it.
  const publicUrl = process.env.PUBLIC_URL ?? `http://127.0.0.1:${port}`
  const { owner } = await start(port, { publicUrl })
  console.log(`Listening on ${publicUrl}`)
  if (owner) console.log(`The owner signs in with ${owner.login.url}`)
}
