import { execFileSync } from 'node:child_process'
import { cpSync, globSync, mkdirSync, readFileSync } from 'node:fs'
import { basename, join, matchesGlob } from 'node:path'

/** One line of a Dockerfile. */
export interface Instruction {
  name: string
  rest: string
}

/** What an image would start, had a container engine built it. */
export interface Built {
  /** Where its working directory is on this machine. */
  directory: string
  environment: Record<string, string>
  entrypoint: string[]
  command: string[]
  /** A line for the shell. */
  healthcheck: string
  ports: number[]
  user: string
}

export function parseDockerfile(text: string): Instruction[] {
  const joined = text.replace(/^\s*#.*\n/gm, '').replace(/\\\n\s*/g, ' ')
  return [...joined.matchAll(/^([A-Z]+) (.+)$/gm)].map(([, name = '', rest = '']) => ({
    name,
    rest,
  }))
}

/**
 * Follows a Dockerfile without a container engine: every stage is a directory in `place`,
 * COPY copies into it, RUN runs in it, with this machine's Node. Returns the last stage.
 */
export function follow(
  instructions: readonly Instruction[],
  { context, ignore, place }: { context: string; ignore: string[]; place: string },
): Built {
  const stages = new Map<string, string>()
  let root = ''
  let workdir = '/'
  let built: Built = emptyBuilt()
  for (const { name, rest } of instructions) {
    const here = join(root, workdir)
    if (name === 'FROM') {
      const stage = / AS (\w+)$/i.exec(rest)?.[1] ?? 'last'
      root = join(place, stage)
      stages.set(stage, root)
      workdir = '/'
      built = emptyBuilt()
    } else if (name === 'WORKDIR') {
      workdir = rest
      mkdirSync(join(root, workdir), { recursive: true })
      built.directory = join(root, workdir)
    } else if (name === 'COPY') {
      const [, from, source = '', target = ''] =
        /^(?:--from=(\w+) )?(\S+) (\S+)$/.exec(rest) ?? []
      const to = target.startsWith('/') ? join(root, target) : join(here, target)
      if (from) copyMatching(join(stages.get(from) ?? '', source), to)
      else copyContext(join(context, source), to, { context, ignore })
    } else if (name === 'RUN') {
      execFileSync('sh', ['-ec', rest], { cwd: here, stdio: ['ignore', 'pipe', 'pipe'] })
    } else if (name === 'ENV') {
      for (const [, key = '', value = ''] of rest.matchAll(/(\w+)=(\S+)/g)) {
        built.environment[key] = value.startsWith('/') ? join(root, value) : value
      }
    } else if (name === 'EXPOSE') built.ports = rest.split(' ').map(Number)
    else if (name === 'USER') built.user = rest
    else if (name === 'ENTRYPOINT') built.entrypoint = JSON.parse(rest)
    else if (name === 'CMD') built.command = JSON.parse(rest)
    else if (name === 'HEALTHCHECK') built.healthcheck = rest.replace(/^.* CMD /, '')
    else throw new TypeError(`${name} is not known here`)
  }
  return built
}

/** The lines of a .dockerignore. */
export function ignoredBy(path: string): string[] {
  return readFileSync(path, 'utf8').split('\n').filter(Boolean)
}

function emptyBuilt(): Built {
  return {
    directory: '',
    environment: {},
    entrypoint: [],
    command: [],
    healthcheck: '',
    ports: [],
    user: '',
  }
}

function copyMatching(pattern: string, to: string): void {
  for (const path of globSync(pattern)) cpSync(path, join(to, basename(path)))
}

function copyContext(
  from: string,
  to: string,
  { context, ignore }: { context: string; ignore: string[] },
): void {
  const isKept = (path: string) => {
    const name = path.slice(context.length).replace(/^\//, '')
    return !ignore.some((pattern) =>
      matchesGlob(name, pattern.replace(/^\*\*\/(?=\w)/, '**/')),
    )
  }
  const target =
    to.endsWith('/') && from !== context && !from.endsWith('.')
      ? join(to, basename(from))
      : to
  cpSync(from, target, { recursive: true, filter: isKept })
}
