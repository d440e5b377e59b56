/** The files of examples/deploy name what exists: settings, verbs, ports, paths, metrics. */
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { parse, parseAllDocuments } from 'yaml'
import { nginxConf } from '../../examples/deploy/nginx.ts'
import { verbs } from '../../src/cli/main.ts'
import { settings } from '../../src/config/settings.ts'
import { parseDuration } from '../../src/shared/durations.ts'

const deploy = join(import.meta.dirname, '../../examples/deploy')
const textOf = (name: string) => readFileSync(join(deploy, name), 'utf8')
const variables = Object.values(settings).flatMap(({ env }) => env)
const verbNames = verbs.map(({ name }) => name)

/** Variables that others read. */
const others = /^(AWS_\w+|UPLOAD_TOKEN)$/

function unknownVariables(environment: object): string[] {
  const known = (name: string) =>
    variables.includes(name.replace(/_FILE$/, '')) || others.test(name)
  return Object.keys(environment).filter((name) => !known(name))
}

interface Service {
  image: string
  command?: string[]
  environment?: Record<string, string>
  volumes?: string[]
  ports?: string[]
  depends_on?: Record<string, object>
  healthcheck?: object
  stop_grace_period?: string
  build?: { context: string; dockerfile: string }
}

const compose = suite('docker-compose.yml')
const read = (name: string): { services: Record<string, Service> } =>
  parse(textOf(name), { merge: true })
const { services } = read('docker-compose.yml')
const ours = Object.entries(services).filter(([, { image }]) => image === 'carcosa:local')
const nodes = ours.filter(([, { command }]) => command?.[0] === 'start')

compose('has two nodes, one worker, nginx, Postgres and an S3 server', () => {
  assert.equal(
    nodes.map(([name]) => name),
    ['node-1', 'node-2'],
  )
  assert.equal(
    ours.map(([name]) => name),
    ['node-1', 'node-2', 'worker'],
  )
  for (const name of ['nginx', 'postgres', 'minio']) assert.ok(services[name], name)
})

compose('sets what is a setting, and starts what is a verb', () => {
  for (const [name, { environment = {}, command = [] }] of ours) {
    assert.equal(unknownVariables(environment), [], name)
    assert.ok(verbNames.includes(command[0] ?? ''), `${name}: ${command}`)
    // A secret that each made for itself would be refused by the others.
    assert.ok(environment.CARCOSA_SECRET, name)
  }
  const [first, ...rest] = ours.map(([, { environment }]) => environment)
  for (const environment of rest) assert.equal(environment, first)
})

compose('waits for services that exist, and mounts files that exist', () => {
  for (const [name, { depends_on: needs = {}, volumes = [], build }] of Object.entries(
    services,
  )) {
    for (const need of Object.keys(needs))
      assert.ok(services[need], `${name} needs ${need}`)
    const files = volumes.filter((volume) => volume.startsWith('.'))
    for (const file of files) {
      assert.ok(existsSync(join(deploy, file.split(':', 1).join(''))), file)
    }
    if (build) assert.ok(existsSync(join(deploy, build.context, build.dockerfile)))
  }
})

compose('lets nodes end by themselves', () => {
  for (const [, { environment = {}, stop_grace_period: grace = '' }] of nodes) {
    assert.ok(
      parseDuration(grace) > parseDuration(environment.CARCOSA_SHUTDOWN_TIMEOUT ?? ''),
    )
  }
})

compose('asks for exactly what .env.example has', () => {
  const asked = [...textOf('docker-compose.yml').matchAll(/(?<!\$)\$\{(\w+)/g)]
  const given = [...textOf('.env.example').matchAll(/^(\w+)=/gm)]
  const names = (found: RegExpMatchArray[]) =>
    [...new Set(found.map(([, name]) => name))].sort()
  assert.equal(names(asked), names(given))
})

compose('with a pooler names the same services, and Postgres itself for LISTEN', () => {
  const pooled = read('docker-compose.pgbouncer.yml').services
  for (const [name] of ours) {
    const environment = pooled[name]?.environment ?? {}
    assert.equal(unknownVariables(environment), [])
    assert.match(environment.DATABASE_URL ?? '', '@pgbouncer:')
    assert.match(environment.DIRECT_URL ?? '', '@postgres:')
  }
  assert.is(pooled.pgbouncer?.environment?.POOL_MODE, 'transaction')
})

compose.run()

const proxies = suite('what is in front of the nodes')

for (const file of ['nginx.conf', 'Caddyfile']) {
  proxies(`${file} leads to the nodes of docker-compose.yml`, () => {
    const named = textOf(file).match(/node-\d+:\d+/g) ?? []
    assert.equal(
      [...new Set(named)],
      nodes.map(([name]) => `${name}:8080`),
    )
  })
}

proxies('nginx listens where its container is reached', () => {
  const [, port] = /listen (\d+);/.exec(nginxConf()) ?? []
  assert.equal(services.nginx?.ports, [`8080:${port}`])
})

proxies('Prometheus asks the admin port of every node', () => {
  const {
    scrape_configs: [job],
  } = parse(textOf('prometheus.yml'))
  const port = nodes[0]?.[1].environment?.CARCOSA_ADMIN_PORT
  assert.equal(
    job.static_configs[0].targets,
    nodes.map(([name]) => `${name}:${port}`),
  )
  assert.is(job.job_name, 'carcosa')
})

proxies.run()

const kubernetes = suite('kubernetes.yaml')
const documents = parseAllDocuments(textOf('kubernetes.yaml')).map((document) => {
  if ('errors' in document && document.errors.length > 0) throw document.errors[0]
  return document.toJS()
})
const kind = (wanted: string) => documents.filter((document) => document.kind === wanted)
const [config] = kind('ConfigMap')
const deployments = kind('Deployment')
const container = (deployment: {
  spec: { template: { spec: { containers: object[] } } }
}) =>
  // Any, in effect: what is not there fails the test that asks for it.
  JSON.parse(JSON.stringify(deployment.spec.template.spec.containers[0]))

kubernetes('has what a cluster needs of it', () => {
  assert.equal(
    documents.map((document) => document.kind),
    [
      'ConfigMap',
      'Deployment',
      'Deployment',
      'PodDisruptionBudget',
      'Service',
      'Ingress',
    ],
  )
})

kubernetes('sets what is a setting, and starts what is a verb', () => {
  assert.equal(unknownVariables(config.data), [])
  for (const deployment of deployments) {
    const { args, envFrom } = container(deployment)
    assert.ok(verbNames.includes(args[0]), args[0])
    assert.equal(envFrom, [
      { configMapRef: { name: 'carcosa' } },
      { secretRef: { name: 'carcosa' } },
    ])
  }
  const literals = [...textOf('kubernetes.yaml').matchAll(/--from-literal=(\w+)=/g)]
  assert.equal(
    unknownVariables(Object.fromEntries(literals.map(([, name]) => [name, '']))),
    [],
  )
  assert.ok(literals.some(([, name]) => name === 'CARCOSA_SECRET'))
})

kubernetes('keeps secrets out of the file', () => {
  const secret = Object.entries(settings).flatMap(([, { secret: is, env }]) =>
    is ? env : [],
  )
  assert.equal(
    Object.keys(config.data).filter((name) => secret.includes(name)),
    [],
  )
})

kubernetes('asks the process whether it lives, and the node whether it is ready', () => {
  const { startupProbe, livenessProbe, readinessProbe, ports } = container(deployments[0])
  assert.is(startupProbe.httpGet.path, '/healthz')
  assert.is(livenessProbe.httpGet.path, '/healthz')
  assert.is(readinessProbe.httpGet.path, '/readyz')
  const names = ports.map(({ name }: { name: string }) => name)
  for (const probe of [startupProbe, livenessProbe, readinessProbe]) {
    assert.ok(names.includes(probe.httpGet.port))
  }
  const numbers = ports.map(
    ({ containerPort }: { containerPort: number }) => `${containerPort}`,
  )
  assert.equal(numbers, ['8080', config.data.CARCOSA_ADMIN_PORT])
})

kubernetes('gives a pod the time that draining takes', () => {
  const { CARCOSA_DRAIN_DELAY: delay, CARCOSA_SHUTDOWN_TIMEOUT: timeout } = config.data
  const stopping = (parseDuration(delay) + parseDuration(timeout)) / 1_000
  for (const deployment of deployments) {
    const { terminationGracePeriodSeconds: grace } = deployment.spec.template.spec
    assert.ok(grace > stopping, `${grace} > ${stopping}`)
  }
})

kubernetes('selects the pods it makes', () => {
  for (const { spec } of deployments) {
    assert.equal(spec.selector.matchLabels, spec.template.metadata.labels)
  }
  const node = deployments[0].spec.template.metadata.labels
  assert.equal(kind('Service')[0].spec.selector, node)
  assert.equal(kind('PodDisruptionBudget')[0].spec.selector.matchLabels, node)
  const [{ service }] = kind('Ingress')[0].spec.rules[0].http.paths.map(
    ({ backend }: { backend: { service: { name: string; port: { name: string } } } }) =>
      backend,
  )
  assert.equal(service, { name: 'carcosa', port: { name: 'http' } })
})

kubernetes('says to ingress-nginx what nginx.conf says', () => {
  const prefix = 'nginx.ingress.kubernetes.io/'
  const names: Record<string, string> = { 'proxy-body-size': 'client_max_body_size' }
  const { annotations } = kind('Ingress')[0].metadata
  assert.ok(Object.keys(annotations).length > 5)
  for (const [key, value] of Object.entries(annotations)) {
    const name = key.replace(prefix, '')
    const directive = names[name] ?? name.replaceAll('-', '_')
    const [, said] = new RegExp(`\\b${directive} (.+?)s?;`).exec(nginxConf()) ?? []
    assert.is(value, said, directive)
  }
})

kubernetes.run()

const observed = suite('dashboard and alerts')

/** What the program exports; test/integration/deploy-metrics.test.ts asks it. */
const used = [textOf('grafana/dashboard.json'), textOf('alerts.yml')].flatMap(
  (text) => text.match(/carcosa_[a-z_]+/g) ?? [],
)

observed('are JSON and YAML, and every panel has a query', () => {
  const { panels } = JSON.parse(textOf('grafana/dashboard.json'))
  const shown = panels.filter(({ type }: { type: string }) => type !== 'row')
  assert.ok(shown.length > 15)
  for (const { title, targets } of shown) assert.ok(targets.length > 0, title)
  const ids = panels.map(({ id }: { id: number }) => id)
  assert.is(new Set(ids).size, ids.length)
  const { groups } = parse(textOf('alerts.yml'))
  for (const { alert, expr, annotations } of groups[0].rules) {
    assert.ok(expr && annotations.summary && annotations.what, alert)
  }
  assert.ok(used.length > 30)
})

observed('name verbs that exist', () => {
  const named = [...textOf('alerts.yml').matchAll(/carcosa ([a-z]+) /g)]
  for (const [text, verb = ''] of named) assert.ok(verbNames.includes(verb), text)
})

observed.run()
