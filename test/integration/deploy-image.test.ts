/** The Dockerfile of examples/deploy, followed line by line where no container engine is. */
import { execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { type Built, follow, ignoredBy, parseDockerfile } from '../support/dockerfile.ts'
import { examine } from '../support/doctor.ts'
import { postgres } from '../support/postgres.ts'

const context = join(import.meta.dirname, '../..')
const deploy = join(context, 'examples/deploy')
const place = mkdtempSync(join(tmpdir(), 'carcosa-image-'))

const image = suite('the image of examples/deploy')
let built: Built

image.before(() => {
  process.env.npm_config_prefer_offline = 'true'
  const instructions = parseDockerfile(readFileSync(join(deploy, 'Dockerfile'), 'utf8'))
  const ignore = ignoredBy(join(deploy, 'Dockerfile.dockerignore'))
  built = follow(instructions, { context, ignore, place })
})
image.after(() => rmSync(place, { recursive: true, force: true }))

image('is built, starts, is healthy, and serves the doctor', async () => {
  const database = await postgres()
  const env = {
    ...process.env,
    ...built.environment,
    CARCOSA_HOST: '127.0.0.1',
    CARCOSA_PORT: '0',
    DATABASE_URL: database.url,
    UPLOAD_TOKEN: 'token-of-this-test',
  }
  const [program = '', ...args] = [...built.entrypoint, ...built.command]
  const child = spawn(program, args, {
    cwd: built.directory,
    env,
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const ended = once(child, 'exit')
  const url = await new Promise<string>((resolve, reject) => {
    let said = ''
    child.stdout.on('data', (text) => {
      said += text
      const found = /listening on (http\S+)/.exec(said)?.[1]
      if (found) resolve(found)
    })
    child.once('exit', (code) => reject(new Error(`it ended with ${code}: ${said}`)))
  })
  const port = new URL(url).port
  execFileSync('sh', ['-c', built.healthcheck], { env: { ...env, CARCOSA_PORT: port } })
  const { wrong, report } = await examine(
    url,
    '--header',
    `Authorization: Bearer ${env.UPLOAD_TOKEN}`,
  )
  assert.equal(wrong, [])
  assert.is(report.route, 'doctor')
  child.kill('SIGTERM')
  assert.equal(await ended, [0, null])
  assert.throws(() =>
    execFileSync('sh', ['-c', built.healthcheck], {
      env: { ...env, CARCOSA_PORT: port },
      stdio: 'ignore',
    }),
  )
  await database.drop()
})

image('takes no rights and says which ports are its', () => {
  assert.is(built.user, '1000')
  assert.equal(built.ports, [8080, 9090])
})

image.run()
